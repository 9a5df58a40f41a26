#!/usr/bin/env python3
"""Runs the engine over real incidents and holds its answers to what can be known of them without the engine.

    python3 tests/real_data.py ENGINE [DATA] [--table]        DATA is ../shared/data unless given

1. Every file is recognised as the source that it is, or refused with the right sentence (exit code 3, nothing on
   standard output). Exit code 4 never.
2. The records of entities that a file declares, by the type that the source gives them, are all in the graph: the sum
   of `records` over the nodes is what `count_declared.py` counts.
3. For incidents that come with Microsoft's own graph of alerts and identifiers (`alert_graph.graphml`), each
   identifier is found at an entity of the same alert. What is not is listed below with its reason; a reason that is no
   longer needed is an error too. Identifiers that only the engine has are counted.
4. Two runs give the same bytes.

Exit codes: 0 all holds, or there is no data · 1 a difference · 2 wrong use.
"""
import collections
import json
import os
import subprocess
import sys
import xml.etree.ElementTree

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import count_declared  # noqa: E402  (it lies beside this file)

# A file (or folder of tables), and the source that it is; or, after "refused", words of the right reason.
# A name that ends in `*` stands for all files of that folder. A file that is in no line is an error.
EXPECTED = [
    ("sentinel-excytin/incident_134", "sentinel-tables"),
    ("sentinel-excytin/incident_322", "sentinel-tables"),
    ("sentinel-excytin/incident_38", "sentinel-tables"),
    ("microsoft-docs/defender-xdr-legacy-api-incidents.json", "defender-xdr"),
    ("microsoft-docs/graph-v1.0-security-alert-get.json", "microsoft-graph"),
    ("microsoft-docs/graph-v1.0-security-incident-get.json", "microsoft-graph"),
    ("microsoft-docs/graph-v1.0-security-list-incidents-ex1.json", "microsoft-graph"),
    ("microsoft-docs/graph-v1.0-security-list-incidents-expand-alerts-ex2.json", "microsoft-graph"),
    ("microsoft-docs/sentinel-2024-03-01-incident-alerts.json", "sentinel-arm"),
    ("microsoft-docs/sentinel-2024-03-01-incident-get.json", "sentinel-arm"),
    ("msgraph-security/alert_28282_elastic_test-alert.json", "microsoft-graph"),
    ("msgraph-security/panther_graph_v2_1.json", "microsoft-graph"),
    ("msgraph-security/panther_graph_v2_3.json", "microsoft-graph"),
    ("sentinel-arm/GetAllIncidentEntities.body.json", "sentinel-arm"),
    ("sentinel-arm/GetIncidents.body.json", "sentinel-arm"),
    ("ocsf/AWS_v1.0.0-rc.2_Security_Hub_Security_Hub.json", "ocsf"),
    ("ocsf/Falco_falco.json", "ocsf"),
    ("ocsf/events/*", "refused: this is an OCSF event of class"),
    ("stix/attack-flow-example.json", "stix"),
    ("stix/indicator-to-campaign-relationship.json", "stix"),
    ("stix/interop-objectmarking-test.json", "refused: a single STIX object of type `campaign`, not a bundle"),
    ("stix/poisonivy.json", "stix"),
    ("vendor-min/aws_guardduty_finding.json", "refused: a finding of Amazon GuardDuty in its own format"),
    ("vendor-min/azure_activity_log.json", "refused: an event of the Azure activity log, not an alert"),
    ("vendor-min/azure_ad_signin.json", "refused: a sign-in of the Entra sign-in log, not an alert"),
    ("vendor-min/defender_alert.json", "defender-endpoint"),
    ("vendor-min/okta_login_event.json", "refused: an event of the Okta system log, not an alert"),
    ("vendor-min/sentinel_alert.json", "sentinel-tables"),
    ("vendor-min/sysmon_process_event.json", "refused: a Sysmon event, not an alert"),
    ("vendor-min/windows_security_event.json", "refused: an event of the Windows event log, not an alert"),
    ("vendor-min/zeek_conn.json", "refused: a log line of Zeek, not an alert"),
]

# Not incidents: the types and enumerations of an API.
LEFT_OUT = ("microsoft-docs/graph-security-",)

# Identifiers of alert_graph.graphml that no entity of the alert has: (field, value as the graph writes it, reason).
EXPLAINED = [
    ("account.Email", "Nina Park@vnevado.alpineskihouse.co",
     "a display name with the domain put after it; nobody has this address, the account's own is raphaelt@…"),
    ("account.Email", "Hailey Johnson@vnevado.alpineskihouse.co",
     "a display name with the domain put after it; nobody has this address, the account's own is alyssat@…"),
    ("process.ProcessId__CreatedTimeUtc__CommandLine", "4256__2024-08-01t13:42:52.04__",
     "`CreatedTimeUtc` of this record is when it was reported (its `AnalysisDate` is the same, and it is an hour after "
     "the click); the process is there with its number and command line, and says no time of creation"),
]

PHASES = ("containment", "investigation", "remediation")


# -- the engine -------------------------------------------------------------------------------------------------------

class Engine:
    def __init__(self, path):
        self.path = path

    def call(self, command, incident):
        """Exit code, standard output, standard error."""
        done = subprocess.run([self.path, command, "--incident", incident, "--format", "json"],
                              capture_output=True, timeout=120, env={"PATH": os.environ.get("PATH", ""), "NO_COLOR": "1"})
        return done.returncode, done.stdout, done.stderr.decode("utf-8", "replace")


def documents(output):
    found = json.loads(output)
    return found if isinstance(found, list) else [found]


# -- 1, 2 and 4: recognised, complete, the same twice ------------------------------------------------------------------

def paths(data, errors):
    """(path from the data folder, expectation) of each incident."""
    known = dict(EXPECTED)
    for name, expectation in EXPECTED:
        if name.endswith("/*"):
            folder = os.path.join(data, name[:-2])
            for entry in sorted(os.listdir(folder)):
                yield f"{name[:-2]}/{entry}", expectation
        elif os.path.exists(os.path.join(data, name)):
            yield name, expectation
        else:
            errors.append(f"{name}: is not there")
    for folder in sorted({n.split("/")[0] for n in known}):
        for entry in sorted(os.listdir(os.path.join(data, folder))):
            name = f"{folder}/{entry}"
            if name not in known and f"{name}/*" not in known and not name.startswith(LEFT_OUT):
                errors.append(f"{name}: what it should be recognised as is written nowhere")


def declared(path):
    """What the files say that they hold, counted without the engine."""
    count = collections.Counter()
    files = [os.path.join(path, f) for f in sorted(os.listdir(path)) if f.startswith("Security") and f.endswith(".json")] \
        if os.path.isdir(path) else [path]
    for file in files:
        for document in count_declared.load(file):
            count_declared.count_document(document, count)
    return {k: n for k, n in count.items() if n}


def records(graphs):
    count = collections.Counter()
    for graph in graphs:
        for node in graph["nodes"]:
            count.update((node.get("properties") or {}).get("records") or {})
    return dict(count)


def examine(engine, data, name, expectation, errors):
    """Rows of the table, and the graphs."""
    path = os.path.join(data, name)
    code, out, said = engine.call("run", path)
    graph_code, graph_out, _ = engine.call("graph", path)

    def wrong(text):
        errors.append(f"{name}: {text}")

    if expectation.startswith("refused"):
        reason = expectation.split(": ", 1)[1]
        sentence = said.splitlines()[0].split(": ", 1)[-1] if said else ""
        if code != 3 or graph_code != 3:
            wrong(f"should be refused; run gives {code}, graph gives {graph_code}")
        elif out or graph_out:
            wrong("is refused, and yet something is on standard output")
        elif reason not in said:
            wrong(f"is refused for another reason: {sentence!r}")
        return [(name, f"refused: {sentence}", "", "", "", "", "")], []

    if code != 0 or graph_code != 0:
        wrong(f"run gives {code}, graph gives {graph_code}: {said.strip()[:300]}")
        return [(name, f"exit code {code}", "", "", "", "", "")], []
    if (code, out) != engine.call("run", path)[:2] or (graph_code, graph_out) != engine.call("graph", path)[:2]:
        wrong("two runs differ")
    responses, graphs = documents(out), documents(graph_out)
    if len(responses) != len(graphs):
        wrong(f"{len(responses)} responses, {len(graphs)} graphs")
    want, have = declared(path), records(graphs)
    if want != have:
        differing = {k: (want.get(k, 0), have.get(k, 0)) for k in sorted(set(want) | set(have)) if want.get(k) != have.get(k)}
        wrong(f"declared records, counted and in the graph: {differing}")

    rows = []
    for response, graph in zip(responses, graphs):
        incident, triage = response["incident"], response["triage"]
        if incident["source"] != expectation:
            wrong(f"recognised as {incident['source']}, it is {expectation}")
        entities = collections.Counter(n["kind"] for n in graph["nodes"])
        if sum(entities.values()) != incident["entity_count"] or len(graph["alerts"]) != incident["alert_count"]:
            wrong("the response and the graph count alerts or entities differently")
        ends = {n["id"] for n in graph["nodes"]} | {f"alert:{a['id']}" for a in graph["alerts"]}
        for edge in graph["edges"]:
            if edge["from"] not in ends or edge["to"] not in ends:
                wrong(f"an edge without an end: {edge['from']} {edge['relation']} {edge['to']}")
        for card in response["cards"]:
            for entity in [card.get("entity")] + (card.get("entities") or []):
                if entity and entity["id"] not in ends:
                    wrong(f"a card on what is not in the graph: {entity['id']}")
        cards = collections.Counter(c["phase"] for c in response["cards"])
        verdict = triage["classification"]
        if triage.get("determination"):
            verdict += f" / {triage['determination']}"
        if verdict != "undetermined":
            verdict += f" / {triage['confidence']}"
        if (triage.get("source") or {}).get("origin") == "source":
            verdict += " (source)"
        label = name if len(responses) == 1 else f"{name} #{incident['id']}"
        rows.append((label, incident["source"], str(incident["alert_count"]),
                     ", ".join(f"{k} {n}" for k, n in sorted(entities.items())), str(len(graph["edges"])), verdict,
                     " / ".join(str(cards[p]) for p in PHASES)))
    return rows, graphs


# -- 3: Microsoft's graph of identifiers --------------------------------------------------------------------------------

def graphml(path):
    """Alerts with the identifiers that the graph ties to them: {alert id: [(node_type.field, value)]}."""
    ns = {"g": "http://graphml.graphdrawing.org/xmlns"}
    tree = xml.etree.ElementTree.parse(path)
    names = {k.get("id"): k.get("attr.name") for k in tree.findall(".//g:key", ns)}
    nodes = {n.get("id"): {names[d.get("key")]: d.text or "" for d in n.findall("g:data", ns)}
             for n in tree.findall(".//g:node", ns)}
    alerts = {k: (json.loads(n["entry"])["SystemAlertId"], []) for k, n in nodes.items() if n["type"] == "alert"}
    for edge in tree.findall(".//g:edge", ns):
        a, e = edge.get("source"), edge.get("target")
        if a not in alerts:
            a, e = e, a
        if a not in alerts or e in alerts:
            raise ValueError(f"{path}: an edge that is not between an alert and an identifier")
        alerts[a][1].append((f"{nodes[e]['node_type']}.{nodes[e]['identifier_fields']}", nodes[e]["value"]))
    return dict(alerts.values())


def same_time(a, b):
    def bare(t):
        return t.lower().rstrip("z").rstrip("0").rstrip(".") if "." in t else t.lower().rstrip("z")
    return bare(a) == bare(b)


def has(node, *keys):
    """The values of these properties, in small letters."""
    p = node["properties"]
    return {str(p[k]).lower() for k in keys if p.get(k) not in (None, "")}


def aliases(node):
    return {a.split(":", 1)[-1].lower() for a in node["aliases"]}


# Where an identifier of the graph is looked for: the kind of entity, and its values.
FIELDS = {
    "account.Name": ("user", lambda n: has(n, "display_name", "account_name") | {n["name"].lower()}),
    "account.Email": ("user", lambda n: has(n, "upn", "address") | aliases(n)),
    "account.Sid": ("user", lambda n: has(n, "sid") & aliases(n)),
    "account.AadUserId": ("user", lambda n: has(n, "object_id") & aliases(n)),
    "mailmessage.Recipient": ("email", lambda n: has(n, "recipient")),
    "mailmessage.Sender": ("email", lambda n: has(n, "sender")),
    "mailmessage.SenderIP": ("email", lambda n: has(n, "sender_ip")),
    "mailbox.MailboxPrimaryAddress": ("mailbox", lambda n: has(n, "address") & aliases(n)),
    "url.Url": ("url", lambda n: has(n, "url") & aliases(n)),
    "ip.Address": ("ip", lambda n: has(n, "address") & aliases(n)),
    "host.HostName": ("device", lambda n: has(n, "host_name") & aliases(n)),
    "host.AadDeviceId": ("device", lambda n: has(n, "object_id") & aliases(n)),
    "cloud-application.AppId": ("cloud_app", lambda n: has(n, "app_id") & aliases(n)),
    "azure-resource.SubscriptionId": ("cloud_resource", lambda n: has(n, "subscription")),
    "azure-resource.ResourceGroup": ("cloud_resource", lambda n: {
        part.split("/")[0] for r in has(n, "resource_id") for part in r.split("/resourcegroups/")[1:]}),
    "azure-resource.ResourceId": ("cloud_resource", lambda n: has(n, "resource_id") & aliases(n)),
    "process.ExtractedFileName": ("process", lambda n: has(n, "image_name")),
}


def found(field, value, nodes):
    """Whether an entity of the alert has this identifier, and the aliases that it accounts for."""
    if field == "process.ProcessId__CreatedTimeUtc__CommandLine":
        pid, created, line = value.split("__", 2)
        return [n for n in nodes if n["kind"] == "process" and str(n["properties"].get("pid")) == pid
                and same_time(str(n["properties"].get("created", "")), created)
                and str(n["properties"].get("command_line", "")).lower() == line.lower()]
    kind, values = FIELDS[field]
    return [n for n in nodes if n["kind"] == kind and value.lower() in values(n)]


def compare(name, alerts, graph, errors, used, only_engine):
    """Holds the program's graph against Microsoft's, alert by alert; gives (identifiers, found, explained)."""
    total = agreed = explained = 0
    have = {a["id"] for a in graph["alerts"]}
    if have != set(alerts):
        errors.append(f"{name}: alerts of one graph alone: {sorted(have ^ set(alerts))}")
    for alert, identifiers in sorted(alerts.items()):
        nodes = [n for n in graph["nodes"] if alert in n["alerts"]]
        named = set()
        for field, value in identifiers:
            total += 1
            if field not in FIELDS and not field.startswith("process.ProcessId__"):
                errors.append(f"{name}: a kind of identifier that is not known here: {field}")
                continue
            at = found(field, value, nodes)
            if at:
                agreed += 1
                named |= {(n["id"], value.lower()) for n in at} | {(n["id"], "*process*") for n in at if n["kind"] == "process"}
                continue
            reason = next((x for x in EXPLAINED if x[0] == field and value.startswith(x[1])), None)
            if reason:
                explained += 1
                used.add(reason)
            else:
                errors.append(f"{name}: alert {alert}: {field} {value[:160]!r} is at no entity of this alert")
        for node in nodes:
            for alias in node["aliases"]:
                space, key = alias.split(":", 1)
                if (node["id"], key.lower()) not in named and not (space == "process" and (node["id"], "*process*") in named):
                    only_engine[f"{node['kind']} {space}"] += 1
    return total, agreed, explained


# -- the whole ---------------------------------------------------------------------------------------------------------

def print_table(head, rows, markdown):
    if markdown:
        for row in [head, ["---"] * len(head)] + rows:
            print("| " + " | ".join(str(c).replace("|", "\\|") for c in row) + " |")
    else:
        for row in rows:
            print(row[0])
            for title, cell in zip(head[1:], row[1:]):
                if cell:
                    print(f"    {title}: {cell}")


def main():
    words = [w for w in sys.argv[1:] if not w.startswith("--")]
    if not 1 <= len(words) <= 2 or set(sys.argv[1:]) - set(words) - {"--table"}:
        print(__doc__, file=sys.stderr)
        return 2
    top = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    data = words[1] if len(words) == 2 else os.path.join(top, "..", "shared", "data")
    if not os.path.isdir(data):
        print("skipped: no ../shared/data")
        return 0

    engine, errors, rows, graphs = Engine(os.path.abspath(words[0])), [], [], {}
    for name, expectation in paths(data, errors):
        more, graphs[name] = examine(engine, data, name, expectation, errors)
        rows.extend(more)
    print_table(["file", "recognised as", "alerts", "entities by kind", "relations", "triage",
                 "cards: containment / investigation / remediation"], rows, "--table" in sys.argv)

    used, only_engine, compared = set(), collections.Counter(), []
    for name, of_file in graphs.items():
        path = os.path.join(data, name, "alert_graph.graphml")
        if of_file and os.path.exists(path):
            alerts = graphml(path)
            sums = compare(name, alerts, of_file[0], errors, used, only_engine)
            compared.append((name, str(len(alerts)), *(str(n) for n in sums)))
    print()
    print_table(["incident", "alerts", "identifiers of alerts in alert_graph.graphml", "found at an entity of the alert",
                 "explained"], compared, "--table" in sys.argv)
    print("\nExplained differences:")
    for entry in EXPLAINED:
        print(f"- {entry[0]} `{entry[1]}…`: {entry[2]}")
        if entry not in used:
            errors.append(f"explained, but not a difference any more: {entry[0]} {entry[1]}")
    print("\nIdentifiers that only the engine has, by kind and name space (an entity counts once an alert): "
          + ", ".join(f"{k} {n}" for k, n in sorted(only_engine.items())))
    print(f"\n{len(rows)} incidents and refusals, {len(errors)} differences")
    for error in errors:
        print(f"difference: {error}", file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
