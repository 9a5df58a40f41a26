//! Messages, mailboxes and what is set in them.

use super::identity::nested_account;
use super::{Item, Scene, props};
use crate::intake::builder::{Draft, Ref};
use crate::intake::context::Context;
use crate::intake::records::{self, Mail};
use crate::intake::vocabulary;
use crate::model::Kind;
use crate::model::level::squash;

/// One message in one mailbox, or one that a user submitted.
pub fn message<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Ref {
    let rec = &item.rec;
    let sender_at = |key: &str| rec.object(key).map(|o| (o.owned(&["emailAddress"]), o.owned(&["displayName"])));
    let (p2, p1) = (sender_at("p2Sender"), sender_at("p1Sender"));
    let nested = p2.filter(|s| !s.0.is_empty()).or(p1).unwrap_or_default();
    let pick = |given: String, other: String| if given.is_empty() { other } else { given };
    let m = Mail {
        id: rec.owned(&["networkMessageId"]),
        internet_id: rec.owned(&["internetMessageId"]),
        recipient: rec.owned(&["recipientEmailAddress", "recipient"]),
        sender: pick(nested.0, rec.owned(&["p2Sender", "sender", "p1Sender", "senderFromAddress"])),
        sender_name: pick(nested.1, rec.owned(&["p2SenderDisplayName", "senderDisplayName", "p1SenderDisplayName"])),
        sender_ip: rec.owned(&["senderIp"]),
        subject: rec.owned(&["subject"]),
        direction: rec.owned(&["antiSpamDirection"]),
        location: rec.owned(&["deliveryLocation"]),
        action: rec.owned(&["deliveryAction"]),
        received: rec.time(&["receivedDateTime", "receivedDate", "receiveDate", "submissionDateTime", "submissionDate", "timestamp"]),
    };
    // Each of the two senders may be given as text beside the other; the one that readers see is kept as a property.
    let envelope = rec.owned(&["p1Sender"]);
    rec.skip(&["sender", "p2Sender"]);
    let mut d = records::mail_draft(&sc.place, &m, &item.digest());
    if !envelope.is_empty() && !envelope.eq_ignore_ascii_case(&m.sender) {
        d.field("p1Sender", &envelope);
    }
    props(
        rec,
        &mut d,
        &[
            ("language", &["language"]),
            ("urn", &["urn"]),
            ("url_count", &["urlCount"]),
            ("attachment_count", &["attachmentsCount", "attachmentCount"]),
        ],
    );
    d.list("threats", item.list(&["threats"]));
    let r = item.begin(cx, sc, d);
    records::mail_links(cx, &sc.place, r, &m);
    for url in item.list(&["urls"]) {
        let d = records::url_draft(&url);
        let url = cx.add(&sc.place, d);
        cx.relate_at(&sc.place, r, "links_to", url, m.received);
    }
    for url in item.nested_all(cx, sc, &["urls"], "url") {
        cx.relate_at(&sc.place, r, "links_to", url, m.received);
    }
    for key in ["attachments", "files"] {
        for file in item.nested_all(cx, sc, &[key], "file") {
            cx.relate_at(&sc.place, r, "carries", file, m.received);
        }
    }
    r
}

/// A mailbox. Object id and UPN on it are its owner's, who stays another entity.
pub fn mailbox<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Option<Ref> {
    let rec = &item.rec;
    let account = rec.object("userAccount");
    let whose = account.as_ref().unwrap_or(rec);
    let (aad, upn) = (whose.owned(&["azureAdUserId", "aadId", "aadUserId", "externalDirectoryObjectId"]), whose.owned(&["userPrincipalName", "upn"]));
    let upn = if upn.is_empty() { rec.owned(&["upn", "userPrincipalName"]) } else { upn };
    let address = rec.owned(&["primaryAddress", "mailboxPrimaryAddress", "mailboxAddress"]);
    let address = if address.is_empty() { upn.clone() } else { address };
    let mut d = records::mailbox_draft(&address);
    let name = rec.owned(&["displayName", "mailboxDisplayName"]);
    d.prop("display_name", name.clone()).name(2, &name).lower("upn", &upn).prop("object_id", aad.clone());
    if !d.is_identified() {
        d.weak("record", &format!("{}/{}", sc.place.id, item.digest()));
    }
    let r = item.begin(cx, sc, d);
    if !aad.is_empty() || account.is_some() {
        let u = match &account {
            Some(account) => nested_account(cx, sc, account, None),
            None => None,
        };
        let owner = u.unwrap_or_else(|| {
            let u = records::User {
                upn: upn.clone(),
                aad: aad.clone(),
                sid: whose.owned(&["userSid", "sid"]),
                display: name.clone(),
                ..Default::default()
            };
            let d = records::user_draft(cx, &sc.place, &u, "");
            cx.add(&sc.place, d)
        });
        // Without an object id an address alone makes nobody a user of ours.
        if aad.is_empty()
            && let Some(d) = cx.b.draft(owner)
        {
            d.tentative();
        }
        cx.relate(&sc.place, owner, "owns", r);
    } else if records::is_address(&upn) {
        let owner = records::maybe_user(cx, &sc.place, &upn);
        cx.relate(&sc.place, owner, "owns", r);
    }
    Some(r)
}

/// A group of alike messages.
pub fn cluster<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Ref {
    let rec = &item.rec;
    let mut d = Draft::new(Kind::MailCluster);
    let (by, value) = (rec.owned(&["clusterBy", "clusterGroup"]), rec.owned(&["clusterByValue", "clusterQueryValue"]));
    let urn = rec.owned(&["urn"]);
    d.strong("urn", &urn).prop("urn", urn).prop("cluster_by", by.clone()).prop("cluster_value", value.clone());
    props(rec, &mut d, &[("email_count", &["emailCount", "mailCount"])]);
    let ids = item.list(&["networkMessageIds"]);
    d.list("network_message_ids", ids.clone());
    if by.is_empty() || value.is_empty() {
        d.weak("record", &format!("{}/{by}/{}", sc.place.id, item.digest()));
    } else {
        d.weak("key", &format!("{by}={value}"));
    }
    d.name(2, &if value.is_empty() { by.clone() } else { format!("{by}: {value}") });
    let r = item.begin(cx, sc, d);
    for id in ids {
        // Which recipient's copy is meant is not said: it stands for a message that some record describes.
        let mut d = Draft::new(Kind::Email);
        d.tentative();
        let mail = cx.add(&sc.place, d);
        cx.mail(mail, &id, None);
        cx.relate(&sc.place, r, "holds", mail);
    }
    r
}

/// A rule, forwarding or delegation that is set in a mailbox.
pub fn configuration<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Ref {
    let rec = &item.rec;
    let mut d = Draft::new(Kind::InboxRule);
    let (address, id) = (rec.owned(&["mailboxPrimaryAddress"]), rec.owned(&["configurationId"]));
    let upn = rec.owned(&["upn"]);
    let whose = if address.is_empty() { upn.clone() } else { address.clone() };
    if id.is_empty() {
        d.weak("record", &format!("{}/{whose}/{}", sc.place.id, item.digest()));
    } else {
        d.strong("id", &if whose.is_empty() { id.clone() } else { format!("{whose}/{id}") });
    }
    d.prop("rule_type", vocabulary::status(&rec.owned(&["configurationType"])));
    d.name(2, &rec.owned(&["displayName"])).name(1, &id);
    props(rec, &mut d, &[("moves_to", &["moveToFolder"]), ("created_by", &["createdBy"])]);
    d.list("forwards_to", item.list(&["forwardTo", "forwardsTo"]));
    let r = item.begin(cx, sc, d);
    let aad = rec.owned(&["externalDirectoryObjectId"]);
    if records::is_address(&whose) {
        let mut m = records::mailbox_draft(&whose);
        m.lower("upn", &upn).prop("object_id", aad.clone());
        let mailbox = cx.add(&sc.place, m);
        cx.relate(&sc.place, r, "set_in", mailbox);
        let u = records::User { upn, aad: aad.clone(), ..Default::default() };
        if !u.is_blank() {
            let mut d = records::user_draft(cx, &sc.place, &u, "");
            if aad.is_empty() {
                d.tentative();
            }
            let owner = cx.add(&sc.place, d);
            cx.relate(&sc.place, owner, "owns", mailbox);
        }
    }
    r
}

/// A chat message.
pub fn chat<'a>(cx: &mut Context, sc: &mut Scene<'a>, item: &Item<'a>) -> Ref {
    let rec = &item.rec;
    let mut d = Draft::new(Kind::ChatMessage);
    let (id, thread) = (rec.owned(&["messageId"]), rec.owned(&["threadId"]));
    if id.is_empty() {
        d.weak("record", &format!("{}/{}", sc.place.id, item.digest()));
    } else {
        d.strong("message", &if thread.is_empty() { id.clone() } else { format!("{thread}/{id}") });
    }
    d.prop("message_id", id.clone());
    let (location, action) = (rec.owned(&["deliveryLocation"]), rec.owned(&["deliveryAction"]));
    if let Some(delivered) = vocabulary::delivered(&location, &action) {
        d.prop("delivered", delivered.to_string());
        if delivered {
            d.prop("was_delivered", "true");
        }
    }
    d.prop("delivery_location", vocabulary::status(&location)).prop("delivery_action", vocabulary::status(&action));
    let (sender, received) = (rec.owned(&["senderFromAddress"]), rec.time(&["receivedDateTime"]));
    d.lower("sender", &sender);
    props(rec, &mut d, &[("subject", &["subject"]), ("is_external", &["isExternal"]), ("message_direction", &["messageDirection"])]);
    if let Some(at) = received {
        d.prop("received", at.to_string());
    }
    let recipients = item.list(&["recipients"]);
    d.list("recipients", recipients.iter().map(|r| r.to_lowercase()).collect());
    let ip = rec.owned(&["senderIp"]);
    d.name(2, &rec.owned(&["subject"])).name(1, &id);
    let r = item.begin(cx, sc, d);
    if records::is_address(&sender) {
        let user = records::maybe_user(cx, &sc.place, &sender);
        cx.relate_at(&sc.place, user, "sent", r, received);
        let mut outside = records::mailbox_draft(&sender);
        outside.unless(user);
        let outside = cx.add(&sc.place, outside);
        cx.relate_at(&sc.place, outside, "sent", r, received);
    }
    for to in recipients.iter().filter(|t| records::is_address(t)) {
        let user = records::maybe_user(cx, &sc.place, to);
        cx.relate_at(&sc.place, r, "sent_to", user, received);
    }
    if !squash(&ip).is_empty() {
        let d = records::ip_draft(&ip);
        let ip = cx.add(&sc.place, d);
        cx.relate_at(&sc.place, r, "from_ip", ip, received);
    }
    for url in item.list(&["urls"]) {
        let d = records::url_draft(&url);
        let url = cx.add(&sc.place, d);
        cx.relate_at(&sc.place, r, "links_to", url, received);
    }
    for url in item.nested_all(cx, sc, &["urls"], "url") {
        cx.relate_at(&sc.place, r, "links_to", url, received);
    }
    for file in item.nested_all(cx, sc, &["files"], "file") {
        cx.relate_at(&sc.place, r, "carries", file, received);
    }
    r
}
