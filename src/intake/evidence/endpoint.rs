//! Devices and what lies and runs on them.

use super::identity::{account_of, nested_account};
use super::{Item, Scene, props};
use crate::intake::builder::{Draft, Ref};
use crate::intake::context::Context;
use crate::intake::json::Json;
use crate::intake::rec::Rec;
use crate::intake::records::{self, Device, File, Process};
use crate::intake::vocabulary;
use crate::model::Kind;

/// A device.
pub fn device<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Option<Ref> {
    let rec = &item.rec;
    let vm = rec.object("vmMetadata");
    let resource = vm.as_ref().map(|v| v.owned(&["resourceId"])).unwrap_or_default();
    let resource = if resource.is_empty() { rec.owned(&["azureId", "resourceId"]) } else { resource };
    let net_bios = rec.owned(&["netBiosName"]);
    let dns = rec.owned(&["deviceDnsName", "computerDnsName"]);
    let host = rec.owned(&["hostName"]);
    let fqdn = [rec.owned(&["fqdn"]), dns.clone(), net_bios.clone()].into_iter().find(|t| t.contains('.')).unwrap_or_default();
    let v = Device {
        product: rec.owned(&["mdeDeviceId", "mdatpDeviceId", "machineId", "deviceId"]),
        host: [host, net_bios, dns, rec.owned(&["deviceName"])].into_iter().find(|t| !t.is_empty()).unwrap_or_default(),
        domain: rec.owned(&["dnsDomain"]),
        fqdn,
        aad: rec.owned(&["azureAdDeviceId", "aadDeviceId"]),
        vm: vm.as_ref().map(|v| v.owned(&["vmId"])).unwrap_or_default(),
        resource: resource.clone(),
        serial: String::new(),
    };
    let mut d = records::device_draft(&v);
    if v.is_blank() {
        d.weak("record", &format!("{}/{}", sc.place.id, item.digest()));
    }
    let table: &[(&str, &[&str])] = &[
        ("os", &["osPlatform", "osFamily", "operatingSystem"]),
        ("os_version", &["osVersion", "version"]),
        ("health", &["healthStatus"]),
        ("risk", &["riskScore"]),
        ("av_status", &["defenderAvStatus", "avStatus"]),
        ("rbac_group", &["rbacGroupName"]),
        ("is_domain_joined", &["isDomainJoined"]),
        ("isolation", &["isolationStatus"]),
    ];
    props(rec, &mut d, table);
    d.prop("onboarding", vocabulary::status(&rec.owned(&["onboardingStatus"])));
    if let Some(vm) = &vm {
        props(vm, &mut d, &[("subscription", &["subscriptionId"])]);
    }
    let external = address_of(rec, "lastExternalIpAddress");
    d.prop("external_ip", external.clone());
    let r = item.begin(cx, sc, d);
    if let Some(vm) = &vm {
        cx.keep_rest(r, vm, "vmMetadata");
    }
    if !resource.is_empty() {
        // The virtual machine may have a record of its own.
        let mut d = records::resource_draft(&resource, "", "", "");
        d.tentative();
        let machine = cx.add(&sc.place, d);
        cx.relate(&sc.place, machine, "same_name", r);
    }
    let mut own: Vec<String> = item.list(&["ipInterfaces", "ipAddresses"]);
    own.push(address_of(rec, "lastIpAddress"));
    own.push(external);
    for address in own.iter().filter(|a| !a.is_empty()) {
        records::device_address(cx, &sc.place, r, address);
    }
    for key in ["lastIpAddress", "lastExternalIpAddress", "ipInterfaces"] {
        for ip in item.nested_all(cx, sc, &[key], "ip") {
            cx.relate(&sc.place, r, "has_ip", ip);
        }
    }
    logged_on(cx, sc, item, r);
    Some(r)
}

/// An address that stands as text.
fn address_of(rec: &Rec<'_>, key: &str) -> String {
    match rec.peek(key) {
        Some(Json::Text(_)) => rec.owned(&[key]),
        _ => String::new(),
    }
}

/// The accounts that were logged on.
fn logged_on<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>, device: Ref) {
    let mut names = Vec::new();
    if matches!(item.rec.peek("loggedOnUsers"), Some(Json::List(_) | Json::Map(_))) {
        for (json, path) in item.rec.items("loggedOnUsers") {
            let Some(rec) = Rec::new(json, path.as_str()) else {
                match json.scalar() {
                    Some(name) => names.push(name.into_owned()),
                    None => cx.unread(&path, format!("{} stands where an account belongs", json.kind())),
                }
                continue;
            };
            if sc.is_record(json) {
                if let Some(user) = super::read(cx, sc, json, &path, "user") {
                    cx.relate(&sc.place, user, "logged_on", device);
                }
                continue;
            }
            let u = account_of(&rec);
            names.push(if u.domain.is_empty() { u.account.clone() } else { format!("{}\\{}", u.domain, u.account) });
            if !u.is_built_in() && !u.domain.is_empty() && !u.account.is_empty() {
                cx.logon(&sc.place, device, &u.domain, &u.account, false);
            }
        }
    }
    if let Some(d) = cx.b.draft(device) {
        d.list("logged_on", names);
    }
}

/// A thing on the network that is no computer.
pub fn iot_device<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Option<Ref> {
    let rec = &item.rec;
    let v = Device {
        product: rec.owned(&["deviceId", "ioTSecurityAgentId"]),
        host: rec.owned(&["deviceName", "hostName"]),
        serial: rec.owned(&["serialNumber"]),
        ..Device::default()
    };
    let mut d = records::device_draft(&v);
    if v.is_blank() {
        d.weak("record", &format!("{}/{}", sc.place.id, item.digest()));
    }
    props(rec, &mut d, &[("mac", &["macAddress"]), ("manufacturer", &["manufacturer"]), ("os", &["operatingSystem"])]);
    let r = item.begin(cx, sc, d);
    let address = address_of(rec, "ipAddress");
    records::device_address(cx, &sc.place, r, &address);
    for key in ["ipAddress", "nics", "ioTHub", "sourceRef"] {
        let expected = match key {
            "ipAddress" => "ip",
            "nics" => "nic",
            "ioTHub" => "azureresource",
            _ => "url",
        };
        for other in item.nested_all(cx, sc, &[key], expected) {
            let relation = if key == "ipAddress" { "has_ip" } else { "touched" };
            cx.relate(&sc.place, r, relation, other);
        }
    }
    Some(r)
}

/// What a record says of a file, with its hashes: flat, in `fileDetails`, or as a list of hash records.
fn file_of<'a>(cx: &mut Context, sc: &mut Scene<'a>, rec: &Rec<'a>, typed: &mut Vec<(Option<String>, String)>) -> File {
    let mut f = File { name: rec.owned(&["fileName", "name"]), folder: rec.owned(&["filePath", "directory", "folderPath"]), hashes: Vec::new() };
    for algorithm in ["sha256", "sha1", "md5"] {
        if let Some(value) = rec.text(algorithm)
            && !f.hash(algorithm, &value)
        {
            cx.unread(&rec.path_of(algorithm), format!("`{}` is no {algorithm}", crate::intake::json::shown(&value)));
        }
    }
    // The management API gives the ids of the hashes, which are entities of their own there.
    for id in rec.texts("fileHashEntityIds") {
        if let Some(hash) = sc.definitions.get(&id.to_lowercase()).and_then(|(j, _)| j.get("properties")) {
            f.hash(hash.text("algorithm").unwrap_or(""), hash.text("hashValue").unwrap_or(""));
        } else {
            cx.unread(
                &rec.path_of("fileHashEntityIds"),
                format!("`{}` refers to a record that the input does not hold", crate::intake::json::shown(&id)),
            );
        }
    }
    if !matches!(rec.peek("fileHashes"), Some(Json::List(_) | Json::Map(_))) {
        return f;
    }
    for (json, path) in rec.items("fileHashes") {
        // A hash may stand elsewhere in the alert, and be referred to; then it counts where it stands.
        let (json, path) = match json.text("$ref") {
            Some(id) => match sc.definitions.get(id).cloned() {
                Some(found) => found,
                None => {
                    cx.unread(&path, format!("`{}` refers to a record that the alert does not hold", crate::intake::json::shown(id)));
                    continue;
                }
            },
            None => (json, path),
        };
        let Some(hash) = Rec::new(json, path.as_str()) else {
            cx.unread(&path, format!("{} stands where a hash belongs", json.kind()));
            continue;
        };
        let (algorithm, value) = (hash.owned(&["algorithm"]), hash.owned(&["value"]));
        f.hash(&algorithm, &value);
        let id = hash.text("$id").map_or(path.clone(), |t| t.into_owned());
        let declared = if hash.has("@odata.type") {
            hash.text("@odata.type")
        } else if sc.type_key.is_empty() {
            None
        } else {
            hash.text(sc.type_key)
        };
        if let Some(declared) = declared {
            typed.push((Some(id), declared.into_owned()));
        }
    }
    f
}

/// Says of a file that the hash records in it describe it.
fn declare_hashes(cx: &mut Context, sc: &mut Scene<'_>, r: Ref, typed: Vec<(Option<String>, String)>) {
    for (id, declared) in typed {
        if let Some(id) = id {
            if sc.made.contains_key(&id) {
                continue;
            }
            sc.made.insert(id, r);
        }
        cx.declare(r, &declared);
    }
}

/// A file.
pub fn file<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Option<Ref> {
    let inner = item.rec.object("fileDetails");
    let rec = inner.as_ref().unwrap_or(&item.rec);
    let mut typed = Vec::new();
    let f = file_of(cx, sc, rec, &mut typed);
    let mut d = records::file_draft(&f, None);
    if f.is_blank() {
        d.weak("record", &format!("{}/{}", sc.place.id, item.digest()));
    }
    file_props(rec, &mut d);
    props(&item.rec, &mut d, &[("detection_status", &["detectionStatus"])]);
    let r = item.begin(cx, sc, d);
    declare_hashes(cx, sc, r, typed);
    let device = device_of(cx, sc, item);
    lay(cx, sc, r, device);
    if let Some(inner) = &inner {
        cx.keep_rest(r, inner, "");
    }
    Some(r)
}

fn lay(cx: &mut Context, sc: &Scene<'_>, file: Ref, device: Option<Ref>) {
    let Some(device) = device else { return };
    if let Some(d) = cx.b.draft(file) {
        d.within(device);
    }
    cx.relate(&sc.place, file, "on", device);
}

fn file_props(rec: &Rec<'_>, d: &mut Draft) {
    let table: &[(&str, &[&str])] = &[
        ("size", &["fileSize", "sizeInBytes"]),
        ("publisher", &["filePublisher"]),
        ("signer", &["signer"]),
        ("issuer", &["issuer"]),
        ("file_type", &["fileType"]),
    ];
    props(rec, d, table);
    if let Some(at) = rec.time(&["CreatedTimeUtc", "creationTimeUtc"]) {
        d.prop("created", at.to_string());
    }
}

/// A program nested in a process without a type of its own, on the process's device.
fn nested_file<'a>(cx: &mut Context, sc: &mut Scene<'a>, rec: &Rec<'a>, device: Option<Ref>) -> (File, Option<Ref>) {
    let mut typed = Vec::new();
    let f = file_of(cx, sc, rec, &mut typed);
    if f.is_blank() {
        return (f, None);
    }
    let mut d = records::file_draft(&f, None);
    file_props(rec, &mut d);
    let r = cx.add(&sc.place, d);
    declare_hashes(cx, sc, r, typed);
    lay(cx, sc, r, device);
    cx.keep_rest(r, rec, "");
    (f, Some(r))
}

/// The device that a record names: nested, or by the product's id; else the alert's own.
fn device_of<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Option<Ref> {
    if let Some(r) = item.nested(cx, sc, &["host", "device"], "host") {
        return Some(r);
    }
    let rec = &item.rec;
    let id = rec.owned(&["mdeDeviceId", "deviceId", "machineId"]);
    records::device_by_product(cx, &sc.place, &id).or(sc.device)
}

/// A hash alone is a file of which nothing else is known.
pub fn file_hash<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Option<Ref> {
    let mut f = File::default();
    let (algorithm, value) = (item.rec.owned(&["algorithm", "hashType"]), item.rec.owned(&["value", "hashValue"]));
    let known = f.hash(&algorithm, &value);
    let mut d = records::file_draft(&f, None);
    d.name(1, &value);
    if !known {
        d.weak("record", &format!("{}/{algorithm}:{value}", sc.place.id)).field("algorithm", &algorithm).field("value", &value);
    }
    Some(item.begin(cx, sc, d))
}

/// A process with its program, parent, account and device.
pub fn process<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Ref {
    let rec = &item.rec;
    let image_at = ["imageFile", "image"].into_iter().find(|k| matches!(rec.peek(k), Some(Json::Map(_))));
    // The name of the program is needed for the name of the process, wherever its record stands.
    let peeked = sc.look(rec, image_at.unwrap_or("imageFile")).and_then(|j| Rec::new(j, "")).map(|r| {
        let inner = r.object("fileDetails");
        let r = inner.as_ref().unwrap_or(&r);
        File { name: r.owned(&["fileName", "name"]), folder: r.owned(&["filePath", "directory"]), hashes: Vec::new() }
    });
    let flat = if image_at.is_none() { file_of(cx, sc, rec, &mut Vec::new()) } else { File::default() };
    let p = Process {
        pid: rec.owned(&["processId"]),
        created: rec.time(&["processCreationDateTime", "creationTimeUtc", "processCreationTime"]).or_else(|| made(rec)),
        command_line: rec.owned(&["processCommandLine", "commandLine"]),
        image: peeked.unwrap_or_else(|| flat.clone()),
    };
    let mut d = records::process_draft(&sc.place, &p, &item.digest(), None);
    props(rec, &mut d, &[("detection_status", &["detectionStatus"])]);
    if let Some(token) = rec.text("elevationToken") {
        d.prop("elevated", (token.eq_ignore_ascii_case("full")).to_string()).field("elevationToken", &token);
    }
    let r = item.begin(cx, sc, d);
    let device = device_of(cx, sc, item);
    if let Some(device) = device {
        if let Some(d) = cx.b.draft(r) {
            d.within(device);
        }
        cx.relate_at(&sc.place, r, "ran_on", device, p.created);
    }
    let image = match image_at {
        Some(key) => typed_or_nested_file(cx, sc, rec, key, device),
        None if !flat.is_blank() => {
            let d = records::file_draft(&flat, None);
            let image = cx.add(&sc.place, d);
            lay(cx, sc, image, device);
            Some(image)
        }
        None => item.nested(cx, sc, &["imageFile"], "file"),
    };
    if let Some(image) = image {
        cx.relate_at(&sc.place, r, "image", image, p.created);
    }
    account(cx, sc, item, r, device);
    parent(cx, sc, item, r, device, p.created);
    r
}

/// The file at a key: a record with a type, one that is referred to, or details alone.
fn typed_or_nested_file<'a>(cx: &mut Context, sc: &mut Scene<'a>, rec: &Rec<'a>, key: &str, device: Option<Ref>) -> Option<Ref> {
    let path = rec.path_of(key);
    let json = rec.take(key)?;
    if sc.is_record(json) {
        let r = super::read(cx, sc, json, &path, "file");
        if let Some(r) = r
            && device.is_some()
        {
            lay(cx, sc, r, device);
        }
        return r;
    }
    let inner = Rec::new(json, path)?;
    nested_file(cx, sc, &inner, device).1
}

/// The account that a process ran as: nested with or without a type, or flat in the record.
fn account<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>, process: Ref, device: Option<Ref>) {
    let rec = &item.rec;
    let user = if let Some(rec) = rec.object("userAccount") {
        nested_account(cx, sc, &rec, device)
    } else if let Some(user) = item.nested(cx, sc, &["account"], "account") {
        if let (Some(device), Some(d)) = (device, cx.b.draft(user)) {
            d.within(device);
        }
        Some(user)
    } else if ["accountName", "userSid", "aadUserId", "userPrincipalName"].iter().any(|k| rec.has(k)) {
        let flat = records::User {
            upn: rec.owned(&["userPrincipalName"]),
            aad: rec.owned(&["aadUserId"]),
            sid: rec.owned(&["userSid"]),
            account: rec.owned(&["accountName"]),
            domain: rec.owned(&["domainName"]),
            ..records::User::default()
        };
        let mut d = records::user_draft(cx, &sc.place, &flat, &item.digest());
        if let Some(device) = device {
            d.within(device);
        }
        Some(cx.add(&sc.place, d))
    } else {
        None
    };
    if let Some(user) = user {
        cx.relate(&sc.place, process, "ran_as", user);
    }
}

/// The process that started it: a record of its own, or fields of this one.
fn parent<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>, process: Ref, device: Option<Ref>, at: Option<crate::model::Time>) {
    let rec = &item.rec;
    if let Some(parent) = item.nested(cx, sc, &["parentProcess"], "process") {
        if let (Some(device), Some(d)) = (device, cx.b.draft(parent)) {
            d.within(device);
            cx.relate(&sc.place, parent, "ran_on", device);
        }
        cx.relate_at(&sc.place, process, "child_of", parent, at);
        return;
    }
    let image = rec.object("parentProcessImageFile");
    let mut p = Process {
        pid: rec.owned(&["parentProcessId"]),
        created: rec.time(&["parentProcessCreationDateTime", "parentProcessCreationTime"]),
        ..Process::default()
    };
    let flat = File { name: rec.owned(&["parentProcessFileName"]), folder: rec.owned(&["parentProcessFilePath"]), hashes: Vec::new() };
    let (file, image) = match &image {
        Some(image) => nested_file(cx, sc, image, device),
        None if !flat.is_blank() => {
            let d = records::file_draft(&flat, None);
            let r = cx.add(&sc.place, d);
            lay(cx, sc, r, device);
            (flat, Some(r))
        }
        None => (File::default(), None),
    };
    if p.pid.is_empty() && image.is_none() {
        return;
    }
    p.image = file;
    let digest = format!("parent/{}/{}", item.digest(), p.image.path());
    let d = records::process_draft(&sc.place, &p, &digest, device);
    let parent = cx.add(&sc.place, d);
    if let Some(device) = device {
        cx.relate(&sc.place, parent, "ran_on", device);
    }
    if let Some(image) = image {
        cx.relate(&sc.place, parent, "image", image);
    }
    cx.relate_at(&sc.place, process, "child_of", parent, at);
}

/// A key or value of the Windows registry.
pub fn registry<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Ref {
    let rec = &item.rec;
    let hive = rec.owned(&["registryHive", "hive"]);
    let (name, data) = (rec.owned(&["registryValueName", "name", "valueName"]), rec.owned(&["registryValue", "value", "valueData"]));
    // Sentinel's value refers to a record of its key.
    let outer = sc.look(rec, "key").and_then(|j| Rec::new(j, ""));
    if outer.is_some() {
        item.nested(cx, sc, &["key"], "registrykey");
    }
    let key = outer.as_ref().map_or_else(|| rec.owned(&["registryKey", "key"]), |k| k.owned(&["key", "registryKey"]));
    let hive = outer.as_ref().map(|k| k.owned(&["hive", "registryHive"])).filter(|h| !h.is_empty()).unwrap_or(hive);
    let is_value = item.word == "registryvalue" || (item.word == "registry" && (!name.is_empty() || !data.is_empty()));
    let mut d = Draft::new(if is_value { Kind::RegistryValue } else { Kind::RegistryKey });
    let whole = if hive.is_empty() { key.clone() } else { format!("{}\\{key}", hive_name(&hive)) };
    d.prop("hive", hive_name(&hive)).prop("key", key);
    if is_value {
        d.prop("value_name", name.clone()).prop("value_data", data);
        props(rec, &mut d, &[("value_type", &["registryValueType", "valueType"])]);
        d.scoped("key", &format!("{whole}\\{name}"), None).name(1, &if name.is_empty() { whole } else { format!("{whole}\\{name}") });
    } else {
        d.scoped("key", &whole, None).name(1, &whole);
    }
    let r = item.begin(cx, sc, d);
    if let Some(device) = device_of(cx, sc, item) {
        if let Some(d) = cx.b.draft(r) {
            d.within(device);
        }
        cx.relate(&sc.place, r, "ran_on", device);
    }
    if let Some(process) = item.nested(cx, sc, &["process"], "process") {
        cx.relate(&sc.place, process, "changed", r);
    }
    r
}

/// A hive by its long name: `HKLM` and `LocalMachine` are `HKEY_LOCAL_MACHINE`.
fn hive_name(hive: &str) -> String {
    match crate::model::level::squash(hive).as_str() {
        "hklm" | "hkeylocalmachine" | "localmachine" => "HKEY_LOCAL_MACHINE".into(),
        "hkcu" | "hkeycurrentuser" | "currentuser" => "HKEY_CURRENT_USER".into(),
        "hkcr" | "hkeyclassesroot" | "classesroot" => "HKEY_CLASSES_ROOT".into(),
        "hku" | "hkeyusers" | "users" => "HKEY_USERS".into(),
        "hkcc" | "hkeycurrentconfig" | "currentconfig" => "HKEY_CURRENT_CONFIG".into(),
        _ => hive.to_owned(),
    }
}

/// A named piece of malware with what it was found in.
pub fn malware<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Ref {
    let rec = &item.rec;
    let mut d = Draft::new(Kind::Malware);
    let name = rec.owned(&["name", "malwareName"]);
    if name.is_empty() {
        d.weak("record", &format!("{}/{}", sc.place.id, item.digest()));
    }
    d.strong("name", &name).name(1, &name);
    props(rec, &mut d, &[("is_family", &["isFamily"])]);
    let r = item.begin(cx, sc, d);
    for (key, expected) in [("files", "file"), ("processes", "process")] {
        for found in item.nested_all(cx, sc, &[key], expected) {
            cx.relate(&sc.place, r, "found_in", found);
        }
    }
    if let Some(device) = device_of(cx, sc, item) {
        cx.relate(&sc.place, r, "ran_on", device);
    }
    r
}

/// A session on a computer.
pub fn logon_session<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Ref {
    let rec = &item.rec;
    let mut d = Draft::new(Kind::LogonSession);
    let id = rec.owned(&["sessionId"]);
    d.prop("session_id", id.clone()).name(1, &id);
    if let Some(at) = rec.time(&["startUtcDateTime", "startTimeUtc"]) {
        d.prop("start", at.to_string());
    }
    d.weak("record", &format!("{}/{id}/{}", sc.place.id, item.digest()));
    if !id.is_empty() {
        d.scoped("session", &id, None);
    }
    let r = item.begin(cx, sc, d);
    let user = match rec.object("userAccount") {
        Some(account) => nested_account(cx, sc, &account, None),
        None => item.nested(cx, sc, &["account"], "user"),
    };
    if let Some(device) = device_of(cx, sc, item) {
        if let Some(d) = cx.b.draft(r) {
            d.within(device);
        }
        cx.relate(&sc.place, r, "session_on", device);
        if let Some(user) = user {
            cx.relate(&sc.place, user, "logged_on", device);
        }
    }
    if let Some(user) = user {
        cx.relate(&sc.place, user, "has_session", r);
    }
    r
}

/// When the process was made, by Sentinel's second name for it; in some records it is the time of the report instead,
/// which is told by its being the time of the analysis too.
fn made(rec: &Rec<'_>) -> Option<crate::model::Time> {
    let at = rec.time(&["CreatedTimeUtc"])?;
    let analysed = match rec.peek("ThreatAnalysisSummary") {
        Some(Json::List(all)) => {
            all.iter().filter_map(|a| a.get("AnalysisDate")).filter_map(Json::scalar).any(|t| crate::model::time::time(&t) == Some(at))
        }
        _ => false,
    };
    (!analysed).then_some(at)
}
