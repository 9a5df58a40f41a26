#!/usr/bin/env python3
"""Counts the records of entities that an incident file declares, by the type that the source gives them.

    python3 tests/count_declared.py FILE     ->  {"account": 9, "ip": 7, ...}

It is written without regard to how the program reads these formats, so that the two can be compared: the sum of
`records` over all entities must equal this count. Formats: our own, Microsoft Graph, the older Defender XDR incidents
API, the Defender for Endpoint alert API, Sentinel (rows and management API), OCSF findings, STIX bundles.
"""
import collections
import json
import sys

STIX_NOT_COUNTED = {
    "incident", "report", "grouping", "attack-flow", "campaign", "observed-data", "relationship", "sighting",
    "marking-definition", "extension-definition", "language-content", "attack-pattern", "attack-action", "note", "opinion",
}


def load(path):
    """The documents of a file: one, an array, JSON Lines, a page, or the tables of Log Analytics."""
    text = open(path, encoding="utf-8-sig").read()
    decoder, at, documents = json.JSONDecoder(), 0, []
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if at >= len(text):
            break
        document, at = decoder.raw_decode(text, at)
        documents.append(document)
    for document in documents:
        for one in document if isinstance(document, list) else [document]:
            if isinstance(one, dict) and isinstance(one.get("value"), list):
                yield from one["value"]
            elif isinstance(one, dict) and isinstance(one.get("tables"), list):
                for table in one["tables"]:
                    names = [c["name"] for c in table["columns"]]
                    yield from (dict(zip(names, row)) for row in table["rows"])
            elif isinstance(one, dict) and isinstance(one.get("entities"), list) and "metaData" in one:
                yield from one["entities"]
            else:
                yield one


def key(record, *names):
    """The value of a key in any case, with `_` and `@` and `at_sign_` left out."""
    def bare(k):
        return "".join(c for c in k.removeprefix("at_sign_").lower() if c.isalnum() or c == "$")
    for name in names:
        for k, v in record.items():
            if bare(k) == bare(name) and v not in (None, "", [], {}):
                return v
    return None


def listed(value):
    return value if isinstance(value, list) else [] if value is None else [value]


def graph_evidence(record, top, count):
    if isinstance(record, list):
        for one in record:
            graph_evidence(one, False, count)
    elif isinstance(record, dict):
        kind = key(record, "@odata.type")
        if isinstance(kind, str) and (top or kind.lower().endswith("evidence")):
            count[kind] += 1
        for v in record.values():
            graph_evidence(v, False, count)


def typed(record, count):
    """Objects with a `Type`, wherever they lie; a `$ref` has none."""
    if isinstance(record, list):
        for one in record:
            typed(one, count)
    elif isinstance(record, dict):
        kind = key(record, "Type")
        if isinstance(kind, str):
            count[kind] += 1
        for v in record.values():
            typed(v, count)


def ocsf_process(process, count):
    if not isinstance(process, dict) or not process:
        return
    count["process"] += 1
    for name in ("file", "user"):
        if process.get(name):
            count[name] += 1
    ocsf_process(process.get("parent_process"), count)


def ocsf_things(root, count):
    actor = root.get("actor") or {}
    if actor.get("user"):
        count["user"] += 1
    ocsf_process(actor.get("process"), count)
    ocsf_process(root.get("process"), count)
    for name in ("user", "file", "src_endpoint", "dst_endpoint", "url", "query", "email", "container",
                 "reg_key", "reg_value", "win_service", "job"):
        if isinstance(root.get(name), dict) and root[name]:
            count[name] += 1
    if isinstance(root.get("container"), dict) and root["container"].get("image"):
        count["image"] += 1


def ocsf(finding, count):
    if finding.get("device"):
        count["device"] += 1
    for o in listed(finding.get("observables")):
        count[o.get("type") or f"observable {o.get('type_id', -1)}"] += 1
    for name in ("resources", "resource"):
        count["resource"] += len(listed(finding.get(name)))
    ocsf_things(finding, count)
    if isinstance(finding.get("evidence"), dict):
        ocsf_things(finding["evidence"], count)
    for e in listed(finding.get("evidences")):
        if e.get("device"):
            count["device"] += 1
        ocsf_things(e, count)
    for m in listed(finding.get("malware")):
        count["malware"] += 1
        count["file"] += len(listed(m.get("files")))


def stix(bundle, count):
    seen = set()
    for o in bundle.get("objects", []):
        if not isinstance(o, dict) or "type" not in o or o.get("id") in seen:
            continue
        seen.add(o.get("id"))
        if o["type"] == "observed-data":
            for inner in (o.get("objects") or {}).values():
                count[inner["type"]] += 1
        elif o["type"] not in STIX_NOT_COUNTED:
            count[o["type"]] += 1


def count_document(d, count):
    if not isinstance(d, dict):
        return
    if str(d.get("schema", "")).startswith("guided-response/incident/"):
        for e in listed(d.get("entities")):
            count[e.get("kind") or e["id"].split(":")[0]] += 1
    elif d.get("type") == "bundle":
        stix(d, count)
    elif "class_uid" in d:
        ocsf(d, count)
    elif isinstance(d.get("properties"), dict):
        p = d["properties"]
        if "kind" in d and d["kind"] != "SecurityAlert":
            count[d["kind"]] += 1
        for e in listed(p.get("relatedEntities")):
            count[e["kind"]] += 1
        for a in listed(p.get("alerts")):
            typed((a.get("properties") or {}).get("Entities"), count)
    elif key(d, "SystemAlertId", "AlertName") or key(d, "IncidentNumber"):
        entities = key(d, "Entities")
        typed(json.loads(entities) if isinstance(entities, str) else entities, count)
    else:
        alerts = listed(d.get("alerts")) if "alerts" in d else [d]
        for a in alerts:
            for e in listed(key(a, "entities")) + listed(key(a, "evidence")):
                kind = key(e, "entityType") if isinstance(e, dict) else None
                if isinstance(kind, str):
                    count[kind] += 1
                else:
                    graph_evidence(e, True, count)


def main():
    count = collections.Counter()
    for document in load(sys.argv[1]):
        count_document(document, count)
    print(json.dumps({k: n for k, n in sorted(count.items()) if n}))


if __name__ == "__main__":
    main()
