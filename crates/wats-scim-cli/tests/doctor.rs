//! The way to a server, and what stands in it; and the server to try it on.

mod support;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::thread;

use support::Home;
use wats_scim_sandbox::{Sandbox, StandardSandbox};

/// A port that nothing listens on, most likely.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn a_server_without_a_problem_is_reported_without_its_name_and_without_changes() {
    let server = StandardSandbox::builder().users(5).start().unwrap();
    let home = Home::of_standard(&server);
    let out = home.run(&["doctor"]).done();
    for line in [
        "# wats-scim doctor",
        "- ok: proxy: none",
        "- ok: name look-up: one address",
        "- ok: connection: port",
        "- ok: HTTP, without TLS: the server answers (status ",
        "- ok: clock: ",
        "- ok: credentials: 5 users can be read",
        "- ok: discovery: standard SCIM; yes: ",
        "- ok: groups: 0 can be read",
        "- ok: probe: ",
        "yes      filter",
    ] {
        assert!(out.contains(line), "{line}\n{out}");
    }
    for name in ["127.0.0.1", server.token(), "example.com"] {
        assert!(!out.contains(name), "{name}\n{out}");
    }
    assert!(server.requests().iter().all(|request| request.method == "GET"), "nothing is changed");
}

#[test]
fn a_report_can_be_written_to_a_file() {
    let server = Sandbox::builder().users(1).start().unwrap();
    let home = Home::of_wats(&server);
    assert_eq!(home.run(&["doctor", "-o", "report.md"]).done(), "");
    assert!(home.read("report.md").contains("- ok: discovery: WATS"));
}

#[test]
fn writes_are_probed_only_when_they_are_confirmed() {
    let server = StandardSandbox::start().unwrap();
    let home = Home::of_standard(&server);
    assert!(home.run(&["doctor", "--write"]).failed(64).contains("--yes"));
    assert!(server.requests().is_empty());
    let out = home.run(&["doctor", "--write", "--yes"]).done();
    assert!(out.contains("yes      creation") && out.contains("yes      deletion"), "{out}");
    assert!(server.users().is_empty(), "what it created is removed");
    assert!(home.read("trail.jsonl").contains("wats-scim-probe"), "its writes are on the trail");
}

/// A profile of this server.
fn logged_in(server: &StandardSandbox) -> Home {
    let home = Home::new();
    home.run_with(&["login", "lab", "--url", server.scim_url(), "--token-stdin"], server.token()).done();
    home
}

/// How many requests have this method and end of the path.
fn sent(server: &StandardSandbox, method: &str, end: &str) -> usize {
    server.requests().iter().filter(|sent| sent.method == method && sent.target.ends_with(end)).count()
}

#[test]
fn what_is_kept_is_what_later_runs_go_by() {
    let server = StandardSandbox::builder().users(30).start().unwrap();
    let home = logged_in(&server);
    home.run(&["export", "all.csv"]).done();
    let changed = |title: &str| {
        let rows = home.read("all.csv");
        let (header, rows) = rows.split_once('\n').unwrap();
        let rows = rows.lines().enumerate().map(|(number, row)| format!("{row},{title}{number}"));
        let rows: Vec<String> = [format!("{header},title")].into_iter().chain(rows).collect();
        home.write("changed.csv", rows.join("\n"));
        let allow = ["--allow", "max_changes=30", "--allow", "max_change_percent=100"];
        let plan = ["plan", "changed.csv", "--ours", "all", "-o", "plan.json"];
        home.run(&[&plan[..], &allow].concat()).done();
        server.clear_requests();
        home.run(&["apply", "plan.json", "-y"]).done();
    };
    changed("a");
    assert_eq!(
        (sent(&server, "PATCH", ""), sent(&server, "POST", "/Bulk")),
        (30, 0),
        "it is not known to check versions"
    );
    assert_ne!(sent(&server, "GET", "/ServiceProviderConfig"), 0);

    home.run(&["doctor", "--write", "--yes", "--keep"]).done();
    changed("b");
    assert_eq!((sent(&server, "PATCH", ""), sent(&server, "POST", "/Bulk")), (0, 1));
    assert_eq!(sent(&server, "GET", "/ServiceProviderConfig"), 0, "what is known is not asked");
    assert!(server.users().iter().all(|user| user["title"].as_str().unwrap().starts_with('b')));
    let shown = home.run(&["profile", "show"]).lines();
    assert!(shown[0]["measured"].as_str().unwrap().starts_with("20"), "{shown:?}");

    // A new token is no new server.
    home.run_with(&["login", "lab", "--url", server.scim_url(), "--token-stdin"], server.token()).done();
    assert_eq!(home.run(&["profile", "show"]).lines()[0]["measured"], shown[0]["measured"]);
    let other = StandardSandbox::start().unwrap();
    home.run_with(&["login", "lab", "--url", other.scim_url(), "--token-stdin"], other.token()).done();
    assert_eq!(home.run(&["profile", "show"]).lines()[0]["measured"], serde_json::Value::Null);
}

#[test]
fn what_was_measured_of_another_kind_of_server_is_not_used() {
    let server = StandardSandbox::builder().users(1).start().unwrap();
    let home = logged_in(&server);
    home.run(&["doctor", "--keep"]).done();
    let file = home.read("profiles.toml");
    assert!(file.contains("[profiles.lab.measured.features]") && file.contains("membership = \"ofGroups\""), "{file}");
    assert!(file.contains("memberLimit = \"unknown\""), "{file}");
    for limit in ["{ most = 100 }", "\"none\""] {
        home.write("profiles.toml", file.replace("memberLimit = \"unknown\"", &format!("memberLimit = {limit}")));
        assert_eq!(home.run(&["users", "list"]).lines().len(), 1, "{limit}");
    }
    home.write("profiles.toml", file.replace("filters = true\n", ""));
    let message = home.run(&["users", "list"]).failed(1);
    assert!(message.contains("filters") && message.contains("doctor --keep"), "{message}");
    home.run(&["users", "list", "--kind", "wats"]).failed(1);
    home.run(&["doctor", "--keep"]).done();
    assert_eq!(home.run(&["users", "list"]).lines().len(), 1);
}

#[test]
fn only_a_profile_can_keep_and_only_what_was_measured_is_kept() {
    let server = StandardSandbox::start().unwrap();
    let message = Home::of_standard(&server).run(&["doctor", "--keep"]).failed(64);
    assert!(message.contains("SCIM_URL") && message.contains("wats-scim login"), "{message}");
    assert!(server.requests().is_empty());
    let home = logged_in(&server);
    drop(server);
    let message = home.run(&["doctor", "--keep"]).failed(6);
    assert!(message.contains("Nothing is kept"), "{message}");
    assert!(!home.read("profiles.toml").contains("measured"));
}

#[test]
fn rejected_credentials_are_a_problem_that_names_the_login() {
    let server = Sandbox::start().unwrap();
    let home = Home::of_wats(&server).with("WATS_TOKEN", "guessed");
    let ended = home.run(&["doctor"]);
    let problem =
        "- **problem**: credentials: the server rejects the credentials (status 401). Next: run `wats-scim login`";
    assert!(ended.out.contains(problem), "{ended:?}");
    assert_eq!(ended.code, Some(5));
    // Where the report is in a file, the problems are shown.
    let message = home.run(&["doctor", "-o", "report.md"]).failed(5);
    assert!(message.contains("problem: credentials") && message.contains("wats-scim login"), "{message}");
    assert!(home.read("report.md").contains(problem));
}

#[test]
fn a_port_that_nothing_listens_on_is_a_problem_of_the_connection() {
    let home = Home::new().with("WATS_BASE_URL", &format!("http://127.0.0.1:{}", free_port())).with("WATS_TOKEN", "t");
    let ended = home.run(&["doctor"]);
    assert!(ended.out.contains("- **problem**: connection: port ") && ended.out.contains("firewall"), "{ended:?}");
    assert!(!ended.out.contains("credentials"), "{ended:?}");
    assert_eq!(ended.code, Some(6));
}

#[test]
fn a_name_without_an_address_is_a_problem_of_the_look_up() {
    let home = Home::new().with("WATS_BASE_URL", "https://acme.invalid").with("WATS_TOKEN", "t");
    let ended = home.run(&["doctor"]);
    assert!(ended.out.contains("- **problem**: name look-up: ") && !ended.out.contains("acme"), "{ended:?}");
    assert_eq!(ended.code, Some(6));
}

#[test]
fn a_certificate_of_an_unknown_authority_is_named_and_ca_makes_it_trusted() {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder().with_no_client_auth();
    let config = Arc::new(config.with_single_cert(vec![cert.der().clone()], key).unwrap());
    let listener = TcpListener::bind("localhost:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let config = Arc::clone(&config);
            thread::spawn(move || drop(answer(stream.unwrap(), config)));
        }
    });
    let home = Home::new().with("SCIM_URL", &format!("https://localhost:{port}/v2")).with("SCIM_TOKEN", "t");
    let ended = home.run(&["doctor"]);
    let problem =
        "- **problem**: TLS and HTTP: the certificate of the server is of an authority that is not trusted here";
    assert!(ended.out.contains(problem) && ended.out.contains("--ca FILE"), "{ended:?}");
    assert_eq!(ended.code, Some(6));

    home.write("ca.pem", cert.pem());
    let ended = home.run(&["doctor", "--ca", "ca.pem"]);
    assert!(ended.out.contains("- ok: TLS and HTTP: the server answers (status 401"), "{ended:?}");
    assert!(ended.out.contains("- **problem**: clock: this machine is "), "{ended:?}");
}

/// Answers one request with 401 and a time that is long ago.
fn answer(mut stream: TcpStream, config: Arc<rustls::ServerConfig>) -> std::io::Result<()> {
    let mut connection = rustls::ServerConnection::new(config).unwrap();
    let mut tls = rustls::Stream::new(&mut connection, &mut stream);
    let _ = tls.read(&mut [0; 4096])?;
    tls.write_all(
        b"HTTP/1.1 401 Unauthorized\r\nDate: Thu, 01 Jan 2015 00:00:00 GMT\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    )?;
    tls.flush()?;
    connection.send_close_notify();
    connection.complete_io(&mut stream)?;
    Ok(())
}

#[test]
fn a_proxy_is_named_without_its_password() {
    let proxy = format!("http://jane:s3cret@127.0.0.1:{}", free_port());
    let home =
        Home::new().with("WATS_BASE_URL", "https://acme.invalid").with("WATS_TOKEN", "t").with("https_proxy", &proxy);
    let ended = home.run(&["doctor"]);
    assert!(
        ended.out.contains("- ok: proxy: http://127.0.0.1:") && ended.out.contains("left to the proxy"),
        "{ended:?}"
    );
    assert!(!ended.out.contains("s3cret") && !ended.err.contains("s3cret") && !ended.out.contains("jane"), "{ended:?}");
    assert_eq!(ended.code, Some(6));
}

/// A sandbox that runs, and the lines that it has printed.
struct Running {
    child: Child,
    lines: Vec<String>,
}

impl Running {
    fn start(home: &Home, args: &[&str]) -> Self {
        let mut command = home.command(&[&["sandbox"], args].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).stdin(Stdio::null()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let lines = out.lines().take(2).map(Result::unwrap).collect();
        Self { child, lines }
    }

    /// The values of the variables in the two lines.
    fn values(&self, before: [&str; 2], after: &str) -> [String; 2] {
        let value = |line: &str, before: &str| {
            let rest = line.strip_prefix(before).unwrap_or_else(|| panic!("{line} does not begin with {before}"));
            rest.strip_suffix(after).unwrap().to_owned()
        };
        [value(&self.lines[0], before[0]), value(&self.lines[1], before[1])]
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_sandbox_prints_two_lines_for_the_shell_and_serves_at_its_port() {
    let home = Home::new();
    let port = free_port().to_string();
    let sandbox = Running::start(&home, &["--users", "7", "--port", &port, "--shell", "sh"]);
    let [url, token] = sandbox.values(["export WATS_BASE_URL=", "export WATS_TOKEN="], "");
    assert_eq!(url, format!("http://127.0.0.1:{port}"));
    let client = Home::new().with("WATS_BASE_URL", &url).with("WATS_TOKEN", &token);
    assert_eq!(client.run(&["users", "list"]).lines().len(), 7);
    let message = home.run(&["sandbox", "--port", &port]).failed(1);
    assert!(message.contains("is taken") && message.contains("--port"), "{message}");
}

#[test]
fn a_standard_sandbox_prints_the_lines_of_powershell() {
    let sandbox = Running::start(&Home::new(), &["--standard", "--users", "3", "--shell", "powershell"]);
    let [url, token] = sandbox.values(["$env:SCIM_URL = '", "$env:SCIM_TOKEN = '"], "'");
    let client = Home::new().with("SCIM_URL", &url).with("SCIM_TOKEN", &token);
    assert_eq!(client.run(&["users", "list"]).lines().len(), 3);
}

#[cfg(unix)]
#[test]
fn a_sandbox_ends_well_when_it_is_interrupted_or_terminated() {
    for signal in ["-INT", "-TERM"] {
        let mut sandbox = Running::start(&Home::new(), &[]);
        let id = sandbox.child.id().to_string();
        assert!(std::process::Command::new("kill").args([signal, &id]).status().unwrap().success());
        assert_eq!(sandbox.child.wait().unwrap().code(), Some(0), "{signal}");
    }
}
