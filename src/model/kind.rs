//! The kinds of entity, what each of them holds, and the relations between them: three tables that everything else reads.

use std::sync::OnceLock;

use super::level::words;

words! {
    /// What an entity is.
    Kind {
        /// An account of a person or service.
        User = "user",
        /// A security group.
        Group = "group",
        /// The identity of an application or workload.
        ServicePrincipal = "service_principal",
        /// An application that was, or may be, consented to.
        OauthApp = "oauth_app",
        /// A computer, phone or appliance.
        Device = "device",
        /// A network interface.
        Nic = "nic",
        /// One message in one recipient's mailbox.
        Email = "email",
        /// A mailbox.
        Mailbox = "mailbox",
        /// A group of alike messages.
        MailCluster = "mail_cluster",
        /// A rule or forwarding setting of a mailbox.
        InboxRule = "inbox_rule",
        /// A message in a chat.
        ChatMessage = "chat_message",
        /// A file, known by its content.
        File = "file",
        /// A running or finished process.
        Process = "process",
        /// A key of the Windows registry.
        RegistryKey = "registry_key",
        /// A value of the Windows registry.
        RegistryValue = "registry_value",
        /// A system service.
        Service = "service",
        /// A scheduled task.
        ScheduledTask = "scheduled_task",
        /// A certificate.
        Certificate = "certificate",
        /// A named piece or family of malware.
        Malware = "malware",
        /// An IP address.
        Ip = "ip",
        /// A URL.
        Url = "url",
        /// A DNS name.
        Domain = "domain",
        /// A network connection.
        Connection = "connection",
        /// A cloud application that is used by many.
        CloudApp = "cloud_app",
        /// A resource of a cloud provider.
        CloudResource = "cloud_resource",
        /// A blob, bucket or container of files in a cloud.
        Storage = "storage",
        /// A shared-access signature.
        SasToken = "sas_token",
        /// A sign-in session or request.
        LogonSession = "logon_session",
        /// A code repository, its organisation or its user.
        Repository = "repository",
        /// A Kubernetes cluster.
        Cluster = "cluster",
        /// A Kubernetes namespace.
        Namespace = "namespace",
        /// A Kubernetes controller or service.
        Workload = "workload",
        /// A Kubernetes pod.
        Pod = "pod",
        /// A container.
        Container = "container",
        /// A container image or registry.
        Image = "image",
        /// A Kubernetes secret.
        Secret = "secret",
        /// Anything else.
        Other = "other",
    }
}

impl Kind {
    /// The name of the collection of all entities of this kind.
    pub fn collection(self) -> &'static str {
        match self {
            Self::User => "users",
            Self::Group => "groups",
            Self::ServicePrincipal => "service_principals",
            Self::OauthApp => "oauth_apps",
            Self::Device => "devices",
            Self::Nic => "nics",
            Self::Email => "emails",
            Self::Mailbox => "mailboxes",
            Self::MailCluster => "mail_clusters",
            Self::InboxRule => "inbox_rules",
            Self::ChatMessage => "chat_messages",
            Self::File => "files",
            Self::Process => "processes",
            Self::RegistryKey => "registry_keys",
            Self::RegistryValue => "registry_values",
            Self::Service => "services",
            Self::ScheduledTask => "scheduled_tasks",
            Self::Certificate => "certificates",
            Self::Malware => "malwares",
            Self::Ip => "ips",
            Self::Url => "urls",
            Self::Domain => "domains",
            Self::Connection => "connections",
            Self::CloudApp => "cloud_apps",
            Self::CloudResource => "cloud_resources",
            Self::Storage => "storages",
            Self::SasToken => "sas_tokens",
            Self::LogonSession => "logon_sessions",
            Self::Repository => "repositories",
            Self::Cluster => "clusters",
            Self::Namespace => "namespaces",
            Self::Workload => "workloads",
            Self::Pod => "pods",
            Self::Container => "containers",
            Self::Image => "images",
            Self::Secret => "secrets",
            Self::Other => "others",
        }
    }

    /// The kind whose collection has this name.
    pub fn of_collection(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|k| k.collection() == name)
    }
}

/// A set of kinds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kinds(u64);

impl Kinds {
    /// No kind.
    pub const NONE: Self = Self(0);
    /// Every kind.
    pub const ANY: Self = Self(u64::MAX);

    /// The set of one kind.
    pub const fn one(kind: Kind) -> Self {
        Self(1 << kind as u32)
    }

    /// The set of these kinds.
    pub const fn of(kinds: &[Kind]) -> Self {
        let mut bits = 0;
        let mut rest = kinds;
        while let [first, tail @ ..] = rest {
            bits |= 1 << *first as u32;
            rest = tail;
        }
        Self(bits)
    }

    /// Whether the kind is in the set.
    pub const fn has(self, kind: Kind) -> bool {
        self.0 & (1 << kind as u32) != 0
    }

    /// What is in both.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in either.
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether nothing is in it.
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Whether every kind of `self` is in `other`.
    pub const fn within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// The kinds that come before this one in the order of kinds.
    pub const fn before(kind: Kind) -> Self {
        Self(!(u64::MAX << kind as u32))
    }

    /// How many kinds it holds.
    pub const fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// The kinds of the set, in order.
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        Kind::ALL.iter().copied().filter(move |k| self.has(*k))
    }

    /// The one kind of the set, if there is just one.
    pub fn single(self) -> Option<Kind> {
        let mut all = self.iter();
        let first = all.next()?;
        all.next().is_none().then_some(first)
    }
}

impl std::fmt::Display for Kinds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0 == u64::MAX {
            return f.write_str("entity");
        }
        for (n, kind) in self.iter().enumerate() {
            if n > 0 {
                f.write_str("|")?;
            }
            f.write_str(kind.word())?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Kinds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Kinds({self})")
    }
}

/// The declared type of a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PropType {
    /// Text.
    Text,
    /// A whole number.
    Int,
    /// True or false; never absent.
    Bool,
    /// A level.
    Level,
    /// A moment.
    Time,
    /// A list of texts; empty rather than absent.
    Texts,
}

/// A property that some kinds of entity have. A name has one type, whatever the kind.
#[derive(Clone, Copy, Debug)]
pub struct PropSpec {
    /// The name in expressions and answers.
    pub name: &'static str,
    /// Its type.
    pub ty: PropType,
    /// The kinds that have it.
    pub kinds: Kinds,
    /// What it holds, in one sentence.
    pub doc: &'static str,
}

/// A property, as an index into [`PROPS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prop(pub u16);

impl Prop {
    /// The property of this name.
    pub fn named(name: &str) -> Option<Self> {
        /// By length, first and last letter; few names agree in all three.
        static BY_FORM: OnceLock<Vec<Vec<(&str, Prop)>>> = OnceLock::new();
        let form = |name: &str| {
            let end = |b: Option<u8>| usize::from(b.unwrap_or_default());
            let (first, last) = (end(name.bytes().next()), end(name.bytes().next_back()));
            name.len().wrapping_mul(37).wrapping_add(first.wrapping_mul(11)).wrapping_add(last) & 0xff
        };
        let by_form = BY_FORM.get_or_init(|| {
            let mut all = vec![Vec::new(); 0x100];
            for (name, prop) in PROPS.iter().map(|p| p.name).zip((0..).map(Self)) {
                all.get_mut(form(name)).into_iter().for_each(|of_form| of_form.push((name, prop)));
            }
            all
        });
        by_form.get(form(name))?.iter().find(|(n, _)| *n == name).map(|(_, prop)| *prop)
    }

    /// Its row of the table.
    pub fn spec(self) -> &'static PropSpec {
        static NONE: PropSpec = PropSpec { name: "", ty: PropType::Text, kinds: Kinds::NONE, doc: "" };
        PROPS.get(self.0 as usize).unwrap_or(&NONE)
    }
}

macro_rules! props {
    ($($name:literal $ty:ident [$($kind:ident)+] $doc:literal;)+) => {
        /// Every property, by name.
        pub static PROPS: &[PropSpec] = &[$(PropSpec { name: $name, ty: PropType::$ty, kinds: Kinds::of(&[$(Kind::$kind),+]), doc: $doc },)+];
    };
}

props! {
    "account_name" Text [User] "the account's name without its domain (sAMAccountName)";
    "account_status" Text [User ServicePrincipal OauthApp] "`enabled` or `disabled`, as the source records it";
    "action_at" Time [InboxRule] "when the rule was made or changed";
    "address" Text [Mailbox Ip Nic] "the primary mail address, the IP address, or the hardware address";
    "agent" Text [LogonSession] "the user agent";
    "antispam_direction" Text [Email] "`inbound`, `outbound`, `intraorg`";
    "app_id" Text [OauthApp ServicePrincipal CloudApp] "the application's id";
    "arguments" Texts [Container] "the arguments it was started with";
    "asn" Int [Ip] "the number of the autonomous system";
    "attachment_count" Int [Email] "how many files are attached";
    "av_status" Text [Device] "the state of the antivirus, as the source words it";
    "browser" Text [LogonSession] "the browser";
    "carrier" Text [Ip] "who runs the address";
    "city" Text [Ip] "the city of the address";
    "cluster_by" Text [MailCluster] "what the messages have in common, e.g. `Subject;P2SenderDomain`";
    "cluster_value" Text [MailCluster] "the value that they have in common";
    "command" Texts [Container] "the command it was started with";
    "command_line" Text [Process ScheduledTask Service] "the whole command line";
    "connection_id" Text [Connection] "the source's id of the connection";
    "content_type" Text [Storage] "the content type";
    "country" Text [Ip] "the country of the address, two letters, upper case";
    "created" Time [Process File User] "when it was created";
    "created_by" Text [ScheduledTask Service InboxRule] "who created it";
    "delivered" Bool [Email ChatMessage] "whether the latest report says it lies where its recipient can read it";
    "delivery_action" Text [Email ChatMessage] "the latest delivery action: `delivered`, `blocked`, `junked`, …";
    "delivery_location" Text [Email ChatMessage] "the latest place: `inbox`, `quarantine`, `junk_folder`, `deleted`, …";
    "department" Text [User] "the department";
    "destination_port" Int [Connection] "the port at the far end";
    "detection_status" Text [File Process] "`detected`, `blocked` or `prevented`";
    "digest" Text [Image Container] "the image's digest";
    "display_name" Text [User Group Mailbox OauthApp ServicePrincipal CloudApp] "the name shown to people; identifies nobody";
    "distinguished_name" Text [Group] "the directory's distinguished name";
    "domain" Text [User Device Url Email] "the account's, device's, address's or sender's domain";
    "elevated" Bool [Process] "whether it ran with a full administrator's token";
    "email_count" Int [MailCluster] "how many messages are in it";
    "expires" Time [SasToken Certificate] "when it ends";
    "external_ip" Text [Device] "the address it was last seen with from outside";
    "file_type" Text [File] "the type of the content";
    "files_encrypted" Int [Device User] "how many files were changed as ransomware does, where the source counts them";
    "folder" Text [File] "the folder it was last seen in";
    "forwards_to" Texts [InboxRule Mailbox] "the addresses that mail is forwarded to";
    "fqdn" Text [Device] "the full DNS name, lower case";
    "friendly_name" Text [Group Other] "the friendly name";
    "hash" Text [Certificate SasToken] "the thumbprint or signature hash";
    "health" Text [Device] "the state of the sensor, as the source words it";
    "hive" Text [RegistryKey RegistryValue] "the hive, e.g. `HKEY_LOCAL_MACHINE`";
    "host" Text [Url] "the host of the address, lower case";
    "host_name" Text [Device] "the name without its domain, lower case";
    "image_name" Text [Process Container] "the file name of the program, or the name of the image";
    "image_path" Text [Process] "the full path of the program";
    "internal" Bool [Device Ip] "whether the source says that it belongs to the organisation";
    "internet_message_id" Text [Email] "the Message-ID header";
    "is_domain_joined" Bool [User Device] "whether the source says that it belongs to a directory domain";
    "is_external" Bool [ChatMessage] "whether it came from outside the organisation";
    "is_family" Bool [Malware] "whether the name is a family's";
    "isolation" Text [Device] "`isolated`, `not_isolated`, `pending`, as the source records it";
    "issuer" Text [File Certificate] "who issued the signature or certificate";
    "job_title" Text [User] "the job title";
    "key" Text [RegistryKey RegistryValue] "the key's path without its hive";
    "language" Text [Email] "the language";
    "latitude_longitude" Text [Ip] "latitude and longitude, `52.3,4.9`";
    "location" Text [CloudResource Storage] "the region";
    "login" Text [Repository] "the name on the code host";
    "logged_on" Texts [Device] "the accounts that were logged on, as the source writes them";
    "mac" Text [Nic Device] "the hardware address";
    "manufacturer" Text [Device] "the maker";
    "md5" Text [File] "MD5, lower-case hex";
    "message_direction" Text [ChatMessage] "the direction";
    "message_id" Text [Email ChatMessage] "the network message id";
    "moves_to" Text [InboxRule] "the folder that mail is moved to";
    "network_message_ids" Texts [MailCluster] "the messages in it";
    "object_id" Text [User Group Device ServicePrincipal OauthApp Mailbox] "the id in the directory (Entra object id)";
    "onboarding" Text [Device] "whether the source's sensor runs on it: `onboarded`, `can_be_onboarded`, …";
    "operating_system" Text [LogonSession] "the operating system";
    "os" Text [Device] "the operating system, as the source words it";
    "os_version" Text [Device] "its version";
    "permissions" Texts [OauthApp SasToken ServicePrincipal] "the scopes or rights it was given";
    "pid" Int [Process] "the process id";
    "platform" Text [Cluster CloudResource] "`aks`, `eks`, `gke`, `azure`, `aws`, `gcp`, …";
    "port" Int [Url] "the port, where the address names one";
    "privileged" Bool [Container] "whether it runs privileged";
    "protocol" Text [Connection LogonSession SasToken] "the protocol";
    "provider" Text [CloudResource] "`azure`, `aws` or `gcp`";
    "publisher" Text [File OauthApp] "who published it";
    "publisher_verified" Bool [OauthApp] "whether the publisher is verified";
    "rbac_group" Text [Device] "the device group that access rights hang on";
    "received" Time [Email ChatMessage] "when it was received";
    "recipient" Text [Email] "the recipient's address, lower case";
    "recipients" Texts [ChatMessage] "the recipients";
    "region" Text [Ip] "the state or region of the address";
    "registered_domain" Text [Url Domain] "the registered domain by the public suffix list";
    "request_id" Text [LogonSession] "the sign-in request";
    "resource_id" Text [CloudResource Storage Device] "the provider's id: ARM resource id, ARN, full resource name";
    "resource_type" Text [CloudResource] "the provider's type";
    "risk" Level [User Device Ip ServicePrincipal OauthApp] "the risk that the source computed";
    "rule_type" Text [InboxRule] "`user_inbox_rule`, `mail_forwarding_rule`, `mail_delegation`, …";
    "saas_app_id" Text [CloudApp] "the id in the cloud-app catalogue";
    "sender" Text [Email ChatMessage] "the sender that the reader sees (P2 From), lower case";
    "sender_ip" Text [Email] "the address that handed the message over";
    "sender_name" Text [Email] "the sender's display name";
    "session_id" Text [LogonSession] "the session";
    "sha1" Text [File] "SHA-1, lower-case hex";
    "sha256" Text [File] "SHA-256, lower-case hex";
    "sid" Text [User Group] "the security identifier";
    "signer" Text [File] "who signed it";
    "size" Int [File] "bytes";
    "source_port" Int [Connection] "the port at the near end";
    "source_type" Text [Other] "the type, as the source names it";
    "start" Time [LogonSession SasToken] "when it began";
    "subject" Text [Email ChatMessage Certificate] "the subject";
    "subscription" Text [CloudResource Device] "the Azure subscription, AWS account or Google project";
    "tenant" Text [User ServicePrincipal OauthApp] "the tenant's id";
    "threats" Texts [Email] "the threats that the source found";
    "title" Text [Other] "the title";
    "upn" Text [User Mailbox] "the user principal name, lower case";
    "url" Text [Url Storage Repository] "the whole address";
    "url_count" Int [Email] "how many links it holds";
    "urn" Text [Email MailCluster] "the source's resource name";
    "value_data" Text [RegistryValue] "the data";
    "value_name" Text [RegistryValue] "the value's name";
    "value_type" Text [RegistryValue] "the value's type";
    "vlans" Texts [Nic] "the VLANs";
    "vm_id" Text [Device] "the id of the virtual machine";
    "was_delivered" Bool [Email ChatMessage] "whether any report said that it lay where its recipient could read it";
    "was_remediated" Bool [Email File Process User Device Url Mailbox MailCluster ChatMessage] "whether the source says that it was remediated, blocked or prevented";
}

/// A relation between two kinds of entity.
#[derive(Clone, Copy, Debug)]
pub struct RelationSpec {
    /// The name in expressions and answers.
    pub name: &'static str,
    /// The kinds it starts from.
    pub from: Kinds,
    /// The kinds it leads to.
    pub to: Kinds,
    /// What it says, in one sentence.
    pub doc: &'static str,
}

/// A relation, as an index into [`RELATIONS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rel(pub u8);

impl Rel {
    /// The relation of this name.
    pub fn named(name: &str) -> Option<Self> {
        RELATIONS.iter().position(|r| r.name.len() == name.len() && r.name == name).and_then(|at| u8::try_from(at).ok()).map(Self)
    }

    /// Its row of the table.
    pub fn spec(self) -> &'static RelationSpec {
        static NONE: RelationSpec = RelationSpec { name: "", from: Kinds::NONE, to: Kinds::NONE, doc: "" };
        RELATIONS.get(self.0 as usize).unwrap_or(&NONE)
    }
}

macro_rules! relations {
    ($([$($from:ident)+] $name:literal [$($to:ident)+] $doc:literal;)+ ; $([$($from2:ident)+] $name2:literal any $doc2:literal;)+) => {
        /// Every relation, by name.
        pub static RELATIONS: &[RelationSpec] = &[
            $(RelationSpec { name: $name, from: Kinds::of(&[$(Kind::$from),+]), to: Kinds::of(&[$(Kind::$to),+]), doc: $doc },)+
            $(RelationSpec { name: $name2, from: Kinds::of(&[$(Kind::$from2),+]), to: Kinds::ANY, doc: $doc2 },)+
        ];
    };
}

relations! {
    [User ServicePrincipal OauthApp] "acted_from" [Ip] "did something from an address";
    [Email ChatMessage] "carries" [File] "has the file attached";
    [Process User Device] "changed" [RegistryValue RegistryKey File] "wrote, made or deleted it";
    [Process] "child_of" [Process] "was started by";
    [User] "clicked" [Url] "followed the link";
    [Process Device Pod Container Connection] "connected_to" [Ip Domain Url] "opened a connection to";
    [User] "consented_to" [OauthApp] "gave the application access";
    [Email ChatMessage LogonSession Connection] "from_ip" [Ip] "came from an address";
    [Device Nic Domain Pod Workload] "has_ip" [Ip] "has, or had, the address";
    [User ServicePrincipal] "has_session" [LogonSession] "holds the session";
    [Process] "image" [File] "runs the program";
    [Container Namespace Cluster Storage SasToken CloudResource Repository Secret Image] "in" [Pod Cluster Namespace CloudResource Storage Repository Image] "is part of";
    [Url Email] "in_domain" [Domain] "has its host in";
    [Email ChatMessage] "links_to" [Url] "holds the link";
    [User] "logged_on" [Device] "was logged on to";
    [Malware] "found_in" [File Process] "was found in";
    [User] "member_of" [Group] "is a member of";
    [File] "on" [Device] "lies on";
    [User] "opened" [Email File] "opened it";
    [User] "owns" [Mailbox OauthApp Device ServicePrincipal] "is the owner of";
    [CloudResource] "same_name" [Device] "carries the same name; perhaps the same machine";
    [Mailbox User] "sent" [ChatMessage] "sent the chat message";
    [Email] "sent_by" [User Mailbox] "was sent by";
    [Email ChatMessage] "sent_to" [Mailbox User] "was sent to";
    [InboxRule] "set_in" [Mailbox] "is set in";
    [User] "signed_in_from" [Ip] "signed in from";
    [LogonSession] "session_on" [Device] "is a session on";
    [Domain] "resolves_to" [Ip] "resolves to";
    [Process Service ScheduledTask] "ran_as" [User ServicePrincipal] "ran with the rights of";
    [Process Service ScheduledTask Malware RegistryKey RegistryValue] "ran_on" [Device] "ran, or lies, on the device";
    [Pod Workload ServicePrincipal] "runs_in" [Namespace Workload] "runs in the namespace, or under the controller";
    [Container Pod] "uses" [Image ServicePrincipal Secret] "uses";
    [Device] "visited" [Url] "opened the address";
    [MailCluster] "holds" [Email] "holds the message";
    ;
    [User ServicePrincipal OauthApp] "acted_on" any "did something to";
    [Process Device] "touched" any "had to do with it, as the record nests them";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_or_relation_name_stands_once() {
        for (n, p) in PROPS.iter().enumerate() {
            assert!(PROPS.iter().skip(n + 1).all(|q| q.name != p.name), "{}", p.name);
        }
        for (n, p) in RELATIONS.iter().enumerate() {
            assert!(RELATIONS.iter().skip(n + 1).all(|q| q.name != p.name), "{}", p.name);
        }
    }

    #[test]
    fn every_collection_finds_its_kind() {
        for kind in Kind::ALL {
            assert_eq!(Kind::of_collection(kind.collection()), Some(*kind));
            assert!(Kinds::one(*kind).has(*kind));
        }
    }
}
