//! No secret is in what any command prints, writes or is started with: neither that of the server, nor that of the
//! proxy, nor the password of a user that is imported.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use support::{Ended, Home, files};
use wats_scim::http::{Method, Request, Response, header};
use wats_scim_sandbox::{Sandbox, StandardSandbox};

const PROXY: &str = "canary-proxy-pa55";
/// The user and the password of the proxy, as they are sent to it.
const PROXY_LOGIN: &str = "amFuZTpjYW5hcnktcHJveHktcGE1NQ==";
const PASSWORD: &str = "canary-user-pa55";

/// Every command, in an order in which each finds what it needs. `%` is the round. The word before is the name of a
/// server that has to do it: `wats` or `standard`; `all`, or `none` if it is rejected.
const SCRIPT: &str = "
all login acme --token-file token --url URL --kind KIND
all profile list
all profile use acme
all profile show acme -o json
all doctor
all doctor --write --yes -o doctor-%.md
wats token --out entra-%
all users list
all users list -o csv --filter userName_sw_\"user\"
all users create --from new-%.json
all users create --user-name joe-%
all users get canary-new-% joe-%
all users set joe-% email=joe-%@example.com
all users deactivate joe-% --yes
all users activate joe-%
none users set joe-% password=x
all users delete joe-% --yes
standard groups create Line-% --member user0001@example.com
standard groups list --members
standard groups get Line-%
standard groups members add Line-% user0002@example.com
standard groups members list Line-%
standard groups members remove Line-% user0002@example.com
standard groups delete Line-% --yes
all export
all export all-%.csv
all export all-%.json
standard export groups-%.json --groups
all plan people-%.json --leavers keep -o plan-%.json
all plan people-%.json --leavers keep --store-passwords -o stored-%.json
all plan people-%.json --leavers keep -o -
all plan scim:acme --ours all
all plan diff plan-%.json stored-%.json
all explain canary-% --from people-%.json --leavers keep
all show plan-%.json
all show plan-%.json -o json
all show stored-%.json
all show stored-%.json -o markdown
all show stored-%.json -o json
all show stored-%.json --public -o json
none apply plan-%.json --yes
all apply stored-%.json --check
all approve stored-%.json --reason canary
all apply stored-%.json --yes -o json
all undo stored-%.json
all audit show
all audit show -o csv --user canary-%
all audit verify
all completion bash
all man
all man --out .
all sandbox --users 1
all portal password canary
all portal --listen 127.0.0.1:0 --user-header x-user
all logout lab
";

/// Files that hold a secret by their purpose.
const OF_SECRETS: [&str; 2] = ["token", "secrets.toml"];

/// What a server says of the credentials.
#[derive(Clone, Debug, Default)]
struct Echo {
    /// What it knows of them, beside the header.
    known: String,
    /// The status of its answers; 0 if it does its work.
    status: u16,
    /// Whether it does its work for reads.
    reads: bool,
}

impl Echo {
    fn answer(&self, request: &Request<Vec<u8>>) -> Option<Response<Vec<u8>>> {
        if self.status == 0 || (self.reads && request.method() == Method::GET) {
            return None;
        }
        let sent = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let body = String::from_utf8_lossy(request.body());
        let user = if body.contains(PASSWORD) { PASSWORD } else { "" };
        let detail = format!("no {user} {} {}", sent.unwrap_or_default(), self.known);
        let answer = Response::builder().status(self.status).header(header::WWW_AUTHENTICATE, &detail);
        let schema = "urn:ietf:params:scim:api:messages:2.0:Error";
        let json = serde_json::json!({ "schemas": [schema], "status": self.status.to_string(), "detail": detail });
        let (kind, body) = if self.status == 401 {
            ("text/html", format!("<p>{detail}</p>"))
        } else {
            ("application/scim+json", json.to_string())
        };
        Some(answer.header(header::CONTENT_TYPE, kind).body(body.into_bytes()).unwrap())
    }
}

/// The rounds: what the server does, and the arguments of all commands.
fn rounds() -> [(&'static str, Echo, &'static [&'static str]); 5] {
    let echo = |status, reads| Echo { known: String::new(), status, reads };
    [
        ("works", echo(0, true), &["-vv"]),
        ("json", echo(0, true), &["-v", "--json"]),
        ("write", echo(400, true), &["-vv"]),
        ("all", echo(403, false), &["-vv", "--json"]),
        ("login", echo(401, false), &["-vv"]),
    ]
}

struct World {
    home: Home,
    /// `wats` or `standard`, the URL and the password.
    server: [String; 3],
    secrets: Vec<String>,
    commands: BTreeSet<String>,
}

impl World {
    fn new(home: Home, token: &str, server: [&str; 3]) -> Self {
        home.write("token", token);
        let secrets = [token, server[2], PROXY, PROXY_LOGIN, PASSWORD].map(str::to_owned).to_vec();
        let commands = support::commands().into_iter().filter(|known| known.runs).map(|known| known.name);
        Self { home, server: server.map(str::to_owned), secrets, commands: commands.collect() }
    }

    /// The lines of the script, and that they are all commands there are.
    fn script(&self, round: &str) -> Vec<(&'static str, Vec<String>)> {
        let lines = SCRIPT.lines().filter_map(|line| line.split_once(' ')).map(|(who, line)| {
            let word = |word: &str| word.replace('%', round).replace('_', " ").replace("URL", &self.server[1]);
            (who, line.split(' ').map(|text| word(text).replace("KIND", &self.server[0])).collect::<Vec<_>>())
        });
        let lines: Vec<_> = lines.collect();
        let name_of = |words: &[String]| {
            let names = (1..=words.len()).rev().map(|length| words[..length].join(" "));
            names.into_iter().find(|name| self.commands.contains(name)).unwrap_or_default()
        };
        let covered: BTreeSet<String> = lines.iter().map(|(_, words)| name_of(words)).collect();
        assert_eq!(covered, self.commands, "each command is a line of the script");
        lines
    }

    /// Writes the files that the script reads, and the profile `lab` with a password.
    fn prepare(&self, round: &str) {
        let [kind, url, password] = &self.server;
        let lab = format!("url = \"{url}\"\nkind = \"{kind}\"\nuser = \"sandbox\"\nsecret = \"file\"\n");
        self.home.write("profiles.toml", format!("current = \"lab\"\n[profiles.lab]\n{lab}"));
        let secret = self.home.write("secrets.toml", format!("[lab]\nurl = \"{url}\"\nsecret = \"{password}\"\n"));
        #[cfg(unix)]
        fs::set_permissions(secret, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let user = |name: &str| format!("{{\"userName\": \"canary-{name}{round}\", \"password\": \"{PASSWORD}\"}}");
        self.home.write(&format!("new-{round}.json"), format!("[{}]", user("new-")));
        self.home.write(&format!("people-{round}.json"), format!("[{}]", user("")));
    }

    fn run(&self, args: &[String]) -> Ended {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let command = self.home.command(&args);
        let ended = watched(command, runs_on(&args), |shown| self.assert_none(&args.join(" "), shown));
        self.assert_none(&format!("{args:?}: stdout"), &ended.out);
        self.assert_none(&format!("{args:?}: stderr"), &ended.err);
        assert_ne!(ended.code, Some(101), "{args:?}: {ended:?}");
        ended
    }

    #[track_caller]
    fn assert_none(&self, place: &str, text: &str) {
        for secret in &self.secrets {
            assert!(!text.contains(secret.as_str()), "{place} has the secret {secret}:\n{text}");
        }
    }

    /// Looks into every file.
    fn assert_files(&self, round: &str) {
        let all = files(self.home.path());
        let others = || all.iter().filter(|path| !is_of_secrets(path));
        for path in others() {
            let text = fs::read(path).unwrap();
            self.assert_none(&format!("{}, round {round}", path.display()), &String::from_utf8_lossy(&text));
        }
        assert!(others().count() > 3);
    }
}

/// Whether a file holds a secret by its purpose: a source of users, and a plan that `--store-passwords` made, with its
/// journal and its rejects.
fn is_of_secrets(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_str().unwrap();
    let is_source = name.starts_with("new-") || name.starts_with("people-");
    let is_stored = ["json", "journal", "rejects.json"].iter().any(|end| {
        name.strip_prefix("stored-").and_then(|name| name.split_once('.')).is_some_and(|(_, rest)| rest == *end)
    });
    OF_SECRETS.contains(&name) || is_source || is_stored || name.starts_with("entra-")
}

/// Whether a command runs until it is ended.
fn runs_on(args: &[&str]) -> bool {
    args[0] == "sandbox" || (args[0] == "portal" && args[1] != "password")
}

/// Runs a command, and looks at its arguments while it runs, as `ps` shows them.
fn watched(mut command: Command, is_ended: bool, look: impl Fn(&str)) -> Ended {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // For the one command that reads it; the others may have closed it.
    let _ = child.stdin.take().unwrap().write_all(PASSWORD.as_bytes());
    if cfg!(target_os = "linux") {
        look(&fs::read_to_string(format!("/proc/{}/cmdline", child.id())).unwrap());
    }
    if is_ended {
        thread::sleep(Duration::from_millis(300));
        child.kill().unwrap();
    }
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// Runs the script in each round against a server of this kind.
fn play(mut world: World, echo: &Mutex<Echo>) {
    let kind = world.server[0].clone();
    // What the client has sent, and so can know: of a token, the server could repeat the password in it.
    let known = if kind == "wats" { world.server[2].clone() } else { String::new() };
    for (round, says, more) in rounds() {
        world.prepare(round);
        let is_working = says.status == 0;
        let script = world.script(round);
        if !is_working {
            // What the other commands read.
            for (_, args) in script.iter().filter(|(_, args)| args[0] == "plan" && args[1].starts_with("people")) {
                world.run(args);
            }
        }
        *echo.lock().unwrap() = Echo { known: known.clone(), ..says };
        for (who, args) in script {
            let ended = world.run(&[args.clone(), more.iter().map(|&word| word.to_owned()).collect()].concat());
            let is_done = who == "all" || who == kind;
            if is_working && !runs_on(&args.iter().map(String::as_str).collect::<Vec<_>>()) {
                assert_eq!(ended.code == Some(0), is_done, "{kind}, {round}: {args:?}: {ended:?}");
            }
            if is_working && args[0] == "token" && is_done {
                world.secrets.push(world.home.read(&args[2]));
            }
        }
        *echo.lock().unwrap() = Echo::default();
        world.assert_files(round);
    }
}

/// A proxy that is not asked: the server is on this machine.
fn with_proxy(home: Home) -> Home {
    home.with("https_proxy", &format!("http://jane:{PROXY}@127.0.0.1:9"))
}

#[test]
fn no_command_shows_or_writes_a_secret_of_a_standard_server() {
    let echo = Arc::new(Mutex::new(Echo::default()));
    let hook = Arc::clone(&echo);
    let server = StandardSandbox::builder().users(4).respond_with(move |request| hook.lock().unwrap().answer(request));
    let server = server.start().unwrap();
    let home = with_proxy(Home::of_standard(&server));
    play(World::new(home, server.token(), ["standard", server.scim_url(), server.password()]), &echo);
    let created = server.requests().into_iter().filter(|request| request.method == Method::POST);
    let with_password = created.filter(|request| String::from_utf8_lossy(&request.body).contains(PASSWORD)).count();
    assert!(with_password > 4, "{with_password}");
}

#[test]
fn no_command_shows_or_writes_a_secret_of_wats() {
    let echo = Arc::new(Mutex::new(Echo::default()));
    let hook = Arc::clone(&echo);
    let server = Sandbox::builder().users(4).respond_with(move |request| hook.lock().unwrap().answer(request));
    let server = server.start().unwrap();
    // The credentials of the profile `lab`.
    let home = with_proxy(Home::new());
    play(World::new(home, server.token(), ["wats", server.base_url(), server.password()]), &echo);
}

#[test]
fn no_command_shows_or_writes_a_secret_of_a_proxy_that_repeats_it() {
    let (address, seen) = proxy();
    let (url, token, password) = ("https://scim.canary.invalid", "canary-token", "canary-pa55");
    let home = Home::new().with("https_proxy", &format!("http://jane:{PROXY}@{address}"));
    let world = World::new(home, token, ["standard", url, password]);
    world.prepare("far");
    let script = world.script("far");
    for more in [["-vv", "--timeout=1"].as_slice(), &["-vv", "--timeout=1", "--json"]] {
        // None of them waits for another.
        thread::scope(|scope| {
            for part in script.chunks(script.len().div_ceil(8)) {
                let world = &world;
                scope.spawn(move || {
                    for (_, args) in part {
                        world.run(&[args.clone(), more.iter().map(|&word| word.to_owned()).collect()].concat());
                    }
                });
            }
        });
    }
    world.assert_files("far");
    assert!(seen.load(Ordering::Relaxed) > 20, "the proxy gets its password");
}

/// A proxy that rejects everything, and repeats the credentials. Returns how often it got them.
fn proxy() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let count = Arc::clone(&count);
            thread::spawn(move || reject(stream, &count));
        }
    });
    (address, seen)
}

fn reject(mut stream: TcpStream, seen: &AtomicUsize) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    seen.fetch_add(usize::from(head.contains(PROXY_LOGIN)), Ordering::Relaxed);
    let body = format!("{PROXY} {PROXY_LOGIN}");
    let head = format!("HTTP/1.1 407 {body}\r\nProxy-Authenticate: Basic realm=\"{body}\"\r\n");
    let _ = write!(stream, "{head}Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
}

#[test]
fn no_argument_takes_a_secret() {
    let found = support::commands();
    let of_secrets: BTreeSet<String> = found
        .iter()
        .flat_map(support::Known::arguments)
        .filter(|argument| {
            let names = argument.split("  ").next().unwrap_or_default().to_ascii_lowercase();
            let is_named = ["token", "password", "secret"].iter().any(|word| names.contains(word));
            is_named && names.contains(['<', '['])
        })
        .collect();
    for argument in &of_secrets {
        assert!(argument.contains("<FILE>"), "{argument}");
    }
    assert!(!of_secrets.is_empty(), "the arguments are not read");
}
