//! The words that incidents and rules are made of. Each list is sorted from common to rare.

/// What an incident is about: each has a signal of its own.
pub const CATEGORIES: &[&str] = &[
    "phishing",
    "malware",
    "ransomware",
    "exfiltration",
    "brute_force",
    "lateral_movement",
    "persistence",
    "privilege_escalation",
    "command_and_control",
    "credential_theft",
    "insider_risk",
    "web_attack",
    "cloud_abuse",
    "cryptomining",
    "supply_chain",
    "reconnaissance",
    "denial_of_service",
    "policy_violation",
    "data_destruction",
    "account_takeover",
];

/// A category that no incident has.
pub const NEVER: &str = "never_seen";

pub const TECHNIQUES: &[&str] = &[
    "T1566.001",
    "T1566.002",
    "T1204.001",
    "T1204.002",
    "T1059.001",
    "T1059.003",
    "T1059.005",
    "T1078.004",
    "T1110.001",
    "T1110.003",
    "T1003.001",
    "T1003.002",
    "T1021.001",
    "T1021.002",
    "T1021.006",
    "T1053.005",
    "T1055",
    "T1071.001",
    "T1071.004",
    "T1105",
    "T1098",
    "T1136.001",
    "T1136.002",
    "T1070.001",
    "T1070.004",
    "T1027",
    "T1036",
    "T1047",
    "T1218.003",
    "T1218.010",
    "T1218.011",
    "T1486",
    "T1490",
    "T1489",
    "T1041",
    "T1048",
    "T1567.002",
    "T1114.003",
    "T1534",
    "T1528",
    "T1539",
    "T1550.001",
    "T1558.003",
    "T1087.004",
    "T1069.001",
    "T1082",
    "T1482",
    "T1018",
    "T1046",
    "T1190",
    "T1133",
    "T1505.003",
    "T1543.003",
    "T1546.003",
    "T1547.001",
    "T1112",
    "T1137.004",
    "T1176.002",
    "T1195.001",
    "T1213.002",
    "T1219",
    "T1222",
    "T1537",
    "T1498.002",
];

pub const DEPARTMENTS: &[&str] =
    &["finance", "engineering", "sales", "hr", "legal", "it", "marketing", "support", "research", "operations", "executive", "procurement"];
pub const JOBS: &[&str] = &[
    "analyst",
    "accountant",
    "developer",
    "manager",
    "assistant",
    "director",
    "engineer",
    "administrator",
    "consultant",
    "buyer",
    "counsel",
    "intern",
    "controller",
    "recruiter",
    "architect",
    "technician",
];
pub const FIRST: &[&str] = &[
    "ada", "bo", "cyd", "dee", "eli", "fay", "gus", "hal", "ida", "jon", "kim", "lea", "max", "nia", "oto", "pia", "quin", "rex", "sue", "tom",
    "uma", "vic", "wes", "xia", "yan", "zoe",
];
pub const LAST: &[&str] = &[
    "adler", "brandt", "castro", "dubois", "eriksen", "fischer", "garcia", "hansen", "ivanov", "jansen", "keller", "larsen", "moreau", "novak",
    "okafor", "petit",
];
pub const DOMAINS: &[&str] =
    &["contoso.com", "fabrikam.com", "northwind.com", "tailspin.net", "adatum.org", "litware.io", "proseware.dev", "wingtip.biz"];
pub const STATUSES: &[&str] = &["enabled", "disabled", "locked", "expired"];

pub const SYSTEMS: &[&str] = &[
    "Windows 11",
    "Windows 10",
    "Windows Server 2022",
    "Windows Server 2019",
    "macOS 15",
    "Ubuntu 24.04",
    "Debian 12",
    "RHEL 9",
    "Android 15",
    "iOS 18",
];
pub const HEALTH: &[&str] = &["active", "inactive", "misconfigured", "impaired_communication", "no_sensor_data"];
pub const ANTIVIRUS: &[&str] = &["updated", "not_updated", "disabled", "unknown", "not_supported"];
pub const MAKERS: &[&str] = &["Dell", "HP", "Lenovo", "Apple", "Microsoft", "Acer", "Asus", "VMware"];

pub const COUNTRIES: &[&str] = &[
    "DE", "US", "NL", "GB", "FR", "PL", "ES", "IT", "SE", "CH", "AT", "BE", "DK", "NO", "FI", "CZ", "RO", "BG", "UA", "TR", "RU", "CN", "IR", "KP",
    "IN", "BR", "MX", "AR", "NG", "ZA", "EG", "KE", "JP", "KR", "SG", "VN", "TH", "ID", "AU", "CA",
];
pub const CITIES: &[&str] = &[
    "Berlin",
    "Amsterdam",
    "London",
    "Paris",
    "Warsaw",
    "Madrid",
    "Rome",
    "Stockholm",
    "Zurich",
    "Vienna",
    "Brussels",
    "Oslo",
    "Prague",
    "Sofia",
    "Kyiv",
    "Moscow",
    "Beijing",
    "Lagos",
    "Mumbai",
    "Tokyo",
    "Seoul",
    "Toronto",
    "Dallas",
    "Ashburn",
];
pub const CARRIERS: &[&str] =
    &["Hetzner", "OVH", "Amazon", "Microsoft", "Google", "Vodafone", "Telekom", "DigitalOcean", "M247", "Comcast", "Orange", "Choopa"];

pub const PROGRAMS: &[&str] = &[
    "powershell.exe",
    "cmd.exe",
    "rundll32.exe",
    "winword.exe",
    "excel.exe",
    "outlook.exe",
    "chrome.exe",
    "svchost.exe",
    "wscript.exe",
    "mshta.exe",
    "regsvr32.exe",
    "certutil.exe",
    "bitsadmin.exe",
    "schtasks.exe",
    "psexec.exe",
    "python.exe",
    "node.exe",
    "msbuild.exe",
    "wmic.exe",
    "net.exe",
    "explorer.exe",
    "teams.exe",
    "curl.exe",
    "setup.exe",
];
pub const FOLDERS: &[&str] = &[
    r"C:\Windows\System32",
    r"C:\Users\Public",
    r"C:\ProgramData",
    r"C:\Windows\Temp",
    r"C:\Users\ada\AppData\Local\Temp",
    r"C:\Users\bo\Downloads",
    r"C:\Program Files\Office",
    r"D:\Share",
    r"C:\inetpub\wwwroot",
    r"C:\PerfLogs",
];
pub const ARGUMENTS: &[&str] = &[
    "-NoProfile",
    "-ExecutionPolicy Bypass",
    "-EncodedCommand",
    "/c whoami",
    "IEX (New-Object Net.WebClient)",
    "DownloadString",
    "-WindowStyle Hidden",
    "javascript:",
    "/s /u /i:http",
    "-urlcache -split -f",
    "/create /sc onlogon",
    "vssadmin delete shadows",
    "lsass",
    "procdump -ma",
    "Invoke-Mimikatz",
    "net user /add",
    "net group \"Domain Admins\"",
    "reg add HKCU",
    "wevtutil cl Security",
    "bcdedit /set",
    "FromBase64String",
    "Start-Process",
    "Set-MpPreference",
    "Add-MpPreference -ExclusionPath",
    "nltest /dclist",
    "whoami /all",
    "systeminfo",
    "tasklist /v",
    "ipconfig /all",
    "route print",
    "arp -a",
    "netsh advfirewall",
    "sc create",
    "at 03:00",
    "--headless",
    "-outputformat",
    "Compress-Archive",
    "rclone copy",
    "7z a -p",
    "curl -k -o",
];
pub const DETECTIONS: &[&str] = &["detected", "blocked", "prevented", "unknown"];

pub const FILE_TYPES: &[&str] = &["exe", "dll", "docm", "xlsm", "pdf", "zip", "iso", "lnk", "js", "ps1", "html", "one"];
pub const PUBLISHERS: &[&str] =
    &["Microsoft Corporation", "Adobe Inc.", "Google LLC", "Unknown", "Contoso Ltd", "Oracle", "Igor Pavlov", "Zoom", "Simon Tatham", "Mozilla"];

pub const HOSTS: &[&str] =
    &["login", "mail", "cdn", "files", "portal", "secure", "update", "api", "docs", "share", "pay", "invoice", "track", "img", "vpn", "auth"];
pub const SITES: &[&str] = &[
    "sharepoint-docs.com",
    "office-login.net",
    "dhl-parcel.info",
    "paypa1.com",
    "dropfiles.org",
    "bitly-go.com",
    "contoso-portal.com",
    "evil-cdn.net",
    "adobe-sign.org",
    "invoice-pay.biz",
    "cloud-share.io",
    "secure-verify.net",
    "ms-update.org",
    "tracking-hub.com",
    "img-host.net",
    "free-vpn.biz",
];
pub const PORTS: &[i64] = &[443, 80, 8080, 8443, 4444, 9001, 1337, 3389];

pub const SUBJECTS: &[&str] = &[
    "Invoice",
    "Overdue payment",
    "Your password expires",
    "Shared document",
    "Delivery failed",
    "Salary review",
    "Voicemail",
    "Contract to sign",
    "Meeting notes",
    "Urgent request",
    "Tax refund",
    "Security alert",
    "New device",
    "Bonus",
    "Quarterly report",
    "Purchase order",
    "Fax received",
    "Verify your account",
    "Travel booking",
    "Wire transfer",
];
pub const DELIVERY: &[&str] = &["delivered", "blocked", "junked", "replaced", "quarantined"];
pub const LANGUAGES: &[&str] = &["en", "de", "fr", "es", "nl", "pl", "ru", "zh"];
pub const DIRECTIONS: &[&str] = &["inbound", "intraorg", "outbound"];

pub const STATES: &[&str] = &["new", "active", "in_progress", "resolved", "redirected"];
pub const LABELS: &[&str] = &["vip", "emea", "apac", "night_shift", "escalated", "pci", "gdpr", "crown_jewels", "lab", "vendor"];

/// Titles of alerts: what products call them, and what some of them are about.
pub const TITLES: &[&str] = &[
    "Suspicious PowerShell command line",
    "A potentially malicious URL click was detected",
    "Email messages containing malicious URL removed after delivery",
    "Unfamiliar sign-in properties",
    "Password spray",
    "Suspicious inbox manipulation rule",
    "Mass download",
    "Malware was detected on a device",
    "Ransomware behavior detected in the file system",
    "Credential dumping activity observed",
    "Suspicious scheduled task",
    "Connection to a custom network indicator",
    "Anomalous token",
    "Impossible travel activity",
    "Suspicious service registration",
    "Unusual volume of file deletion",
    "Possible lateral movement",
    "Web shell on an internet-facing server",
    "Process injection",
    "Suspicious remote session",
    "Unusual process started by Office",
    "Reconnaissance with built-in tools",
    "Outbound connection on a rare port",
    "New administrator account",
];
/// What follows the title of an incident.
pub const SCOPES: &[&str] = &[
    "on one endpoint",
    "on multiple endpoints",
    "involving one user",
    "involving multiple users",
    "reported by multiple sources",
    "in the finance department",
    "on a domain controller",
    "on a server",
    "in a mailbox",
    "in the cloud",
];
pub const PRODUCTS: &[&str] =
    &["Microsoft Defender for Endpoint", "Microsoft Defender for Office 365", "Microsoft Defender for Identity", "Microsoft Defender for Cloud Apps"];
