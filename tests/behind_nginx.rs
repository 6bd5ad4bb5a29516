//! Writes through nginx: TLS with an authority of its own, HTTP/2 for the async client, connections
//! that end after 20 requests, a reload every two seconds, and client certificates. No write is lost, doubled or
//! misreported.
//!
//! `scripts/nginx cargo test --all-features --test behind_nginx`; the variable `NGINX_SOAK` sets the
//! number of writes of each run.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{env, fs, net};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tempfile::TempDir;
use wats_scim::{
    Credentials, Error, Profile, RetryPolicy, ScimConfig, ScimGroup, ScimPatchRequest, ScimWrite, WriteOutcome,
    asynchronous, blocking,
};
use wats_scim_sandbox::StandardSandbox;

const IN_FLIGHT: usize = 64;

/// nginx in front of a server. It is stopped when this is dropped.
struct Nginx {
    process: Child,
    reloads: Option<(mpsc::Sender<()>, JoinHandle<u32>)>,
    directory: TempDir,
    port: u16,
    /// Where only clients with a certificate are let in.
    mutual_port: u16,
    authority: String,
}

impl Nginx {
    fn before(upstream: &str) -> Self {
        let program = env::var("NGINX").expect("run this with scripts/nginx");
        let directory = tempfile::tempdir().unwrap();
        let authority = certificates(directory.path());
        let (port, mutual_port) = (free_port(), free_port());
        let at = |name: &str| directory.path().join(name).display().to_string();
        let configuration = format!(
            "daemon off; pid {pid}; error_log {log} info; worker_processes 2;
             events {{ worker_connections 1024; }}
             http {{
               access_log off; keepalive_requests 20;
               client_body_temp_path {temporary}; proxy_temp_path {temporary}; fastcgi_temp_path {temporary};
               uwsgi_temp_path {temporary}; scgi_temp_path {temporary};
               upstream scim {{ server {upstream}; keepalive 64; }}
               server {{
                 listen 127.0.0.1:{port} ssl http2;
                 ssl_certificate {certificate}; ssl_certificate_key {key};
                 location / {{
                   proxy_pass http://scim; proxy_http_version 1.1; proxy_set_header Connection \"\";
                   proxy_next_upstream off;
                 }}
               }}
               server {{
                 listen 127.0.0.1:{mutual_port} ssl http2;
                 ssl_certificate {certificate}; ssl_certificate_key {key};
                 ssl_verify_client on; ssl_client_certificate {authority};
                 location / {{ proxy_pass http://scim; proxy_http_version 1.1; proxy_set_header Connection \"\"; }}
               }}
             }}",
            authority = at("authority.pem"),
            pid = at("pid"),
            log = at("error.log"),
            temporary = at("temporary"),
            certificate = at("server.pem"),
            key = at("server.key"),
        );
        fs::write(directory.path().join("nginx.conf"), configuration).unwrap();
        let command = move |directory: &Path| {
            let mut command = Command::new(&program);
            command.arg("-p").arg(directory).arg("-e").arg(directory.join("error.log"));
            command.arg("-c").arg(directory.join("nginx.conf")).stdin(Stdio::null()).stderr(Stdio::null());
            command
        };
        let process = command(directory.path()).spawn().unwrap();
        let begun = Instant::now();
        while net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(20), "nginx does not start");
            thread::sleep(Duration::from_millis(20));
        }
        let (stop, stopped) = mpsc::channel();
        let below = directory.path().to_owned();
        let reloads = thread::spawn(move || {
            let mut reloads = 0;
            while stopped.recv_timeout(Duration::from_secs(2)) == Err(mpsc::RecvTimeoutError::Timeout) {
                assert!(command(&below).arg("-s").arg("reload").status().unwrap().success());
                reloads += 1;
            }
            reloads
        });
        Self { process, reloads: Some((stop, reloads)), directory, port, mutual_port, authority }
    }

    fn config(&self, sandbox: &StandardSandbox, retry: RetryPolicy) -> ScimConfig {
        let path = sandbox.scim_url().splitn(4, '/').nth(3).unwrap_or_default().to_owned();
        ScimConfig::new(format!("https://localhost:{}/{path}", self.port), Credentials::bearer(sandbox.token()))
            .profile(Profile::standard())
            .root_certificates(self.authority.as_str())
            .allow_http2(true)
            .retry(retry)
    }

    /// Ends the reloads, and returns how many there were.
    fn stop_reloads(&mut self) -> u32 {
        let (stop, reloads) = self.reloads.take().unwrap();
        drop(stop);
        reloads.join().unwrap()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        drop(self.reloads.take());
        // The workers end with the master process, which `kill` does not let them know.
        if let Ok(pid) = fs::read_to_string(self.directory.path().join("pid")) {
            let _ = Command::new("kill").arg(pid.trim()).status();
        }
        let _ = self.process.wait();
    }
}

/// Writes the certificates and the key of the server and of a client, and returns the certificate of the authority.
fn certificates(directory: &Path) -> String {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // Its certificates are self-signed for OpenSSL if their names are the same.
    params.distinguished_name.push(DnType::CommonName, "authority");
    let key = KeyPair::generate().unwrap();
    let authority = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    fs::write(directory.join("authority.pem"), &authority).unwrap();
    for (name, host) in [("server", "localhost"), ("client", "client.example.com")] {
        let certificate = CertificateParams::new(vec![host.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
        fs::write(directory.join(format!("{name}.pem")), certificate.pem()).unwrap();
        fs::write(directory.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    }
    authority
}

fn free_port() -> u16 {
    net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn number_of_writes() -> usize {
    env::var("NGINX_SOAK").map_or(10_000, |number| number.parse().unwrap())
}

/// What the client said of a write.
#[derive(Clone, Debug)]
enum Said {
    Applied,
    NotApplied,
    /// With the error.
    Unknown(String),
}

impl Said {
    fn of<T>(result: &Result<T, Error>) -> Self {
        match result {
            Ok(_) => Self::Applied,
            Err(error) if error.write_outcome() == Some(WriteOutcome::NotApplied) => Self::NotApplied,
            Err(error) => Self::Unknown(format!("{error:?}")),
        }
    }
}

#[derive(Default)]
struct Tally {
    applied: usize,
    not_applied: usize,
    /// Unknown, and the server has carried it out.
    unknown_and_done: usize,
    /// Unknown, and the server has not carried it out: the errors.
    unknown_and_not_done: Vec<String>,
    wrong: Vec<String>,
}

impl Tally {
    /// Counts a write. `done` is how often the server has carried it out.
    fn count(&mut self, what: &str, said: &Said, done: usize) {
        match (said, done) {
            (Said::Applied, 1) => self.applied += 1,
            (Said::NotApplied, 0) => self.not_applied += 1,
            (Said::Unknown(_), 1) => self.unknown_and_done += 1,
            (Said::Unknown(error), 0) => self.unknown_and_not_done.push(error.clone()),
            _ => self.wrong.push(format!("{what}: {said:?}, carried out {done} times")),
        }
    }
}

/// Groups, whose names the server does not keep unique: what is created twice is there twice.
struct Run {
    api: &'static str,
    created: Vec<(String, Said)>,
    /// The name that each group was given later, by id.
    renamed: Vec<(String, String, Said)>,
    deleted: Vec<(String, Said)>,
}

fn name(number: usize) -> String {
    format!("group {number}")
}

/// Two thirds of the writes are creations; then a quarter of the groups are renamed, and a quarter
/// deleted.
fn creations(number: usize) -> usize {
    number * 2 / 3
}

macro_rules! run {
    ($api:literal, $client:expr, $number:expr $(, $await:tt)?) => {{
        let (client, number) = ($client, $number);
        let groups = client.groups();
        let names: Vec<String> = (0..creations(number)).map(name).collect();
        let writes: Vec<_> = names.iter().map(|name| ScimWrite::create(ScimGroup::new(name))).collect();
        let items = groups.write(writes).in_flight(IN_FLIGHT).run()$(.$await)?;
        let created: Vec<_> = names.into_iter().zip(items.iter().map(|item| Said::of(&item.result))).collect();
        let ids: Vec<String> =
            items.iter().filter_map(|item| item.result.as_ref().ok()?.as_ref()?.id.clone()).collect();
        let changed = (number - creations(number)) / 2;
        let renames: Vec<(String, String)> =
            ids.iter().take(changed).map(|id| (id.clone(), format!("new {id}"))).collect();
        let patches: Vec<_> = renames
            .iter()
            .map(|(id, name)| ScimWrite::patch(id, ScimPatchRequest::new().replace("displayName", name.as_str())))
            .collect();
        let items = groups.write(patches).in_flight(IN_FLIGHT).run()$(.$await)?;
        let renamed =
            renames.into_iter().zip(&items).map(|((id, name), item)| (id, name, Said::of(&item.result))).collect();
        let leavers: Vec<String> = ids.into_iter().skip(changed).take(changed).collect();
        let deletions: Vec<_> = leavers.iter().map(|id| ScimWrite::delete(id)).collect();
        let items = groups.write(deletions).in_flight(IN_FLIGHT).run()$(.$await)?;
        let deleted = leavers.into_iter().zip(items.iter().map(|item| Said::of(&item.result))).collect();
        Run { api: $api, created, renamed, deleted }
    }};
}

impl Run {
    fn blocking(config: &ScimConfig, number: usize) -> Self {
        run!("blocking", blocking::ScimClient::with_config(config).unwrap(), number)
    }

    fn asynchronous(config: &ScimConfig, number: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async { run!("async", asynchronous::ScimClient::with_config(config).unwrap(), number, await) })
    }

    /// Compares what the client said with what the server has and has been asked for.
    fn check(&self, sandbox: &StandardSandbox) -> Tally {
        let mut tally = Tally::default();
        let held = sandbox.groups();
        let text = |group: &serde_json::Value, name: &str| group[name].as_str().unwrap_or_default().to_owned();
        let by_id: HashMap<String, String> =
            held.iter().map(|group| (text(group, "id"), text(group, "displayName"))).collect();
        let renamed: HashSet<&str> = self.renamed.iter().map(|(id, ..)| id.as_str()).collect();
        let deleted: HashSet<&str> = self.deleted.iter().map(|(id, _)| id.as_str()).collect();
        let mut names: HashMap<&str, usize> = HashMap::new();
        for (_, name) in by_id.iter().filter(|(id, _)| !renamed.contains(id.as_str())) {
            *names.entry(name).or_default() += 1;
        }
        // A group that was renamed or deleted was created, or the client would not have its id.
        let untouched = self.created.len() - renamed.len() - deleted.len();
        let mut checked = 0;
        for (name, said) in &self.created {
            let done = names.get(name.as_str()).copied().unwrap_or(0);
            if done == 0 && matches!(said, Said::Applied) {
                continue;
            }
            checked += 1;
            tally.count(name, said, done);
        }
        if checked < untouched {
            tally.wrong.push(format!("{} groups were lost", untouched - checked));
        }
        for (id, name, said) in &self.renamed {
            tally.count(id, said, usize::from(by_id.get(id) == Some(name)));
        }
        for (id, said) in &self.deleted {
            tally.count(id, said, usize::from(!by_id.contains_key(id)));
        }
        tally
    }
}

/// Runs with each client, and returns how the two went.
fn soak(retry: &RetryPolicy) -> Vec<Tally> {
    let mut tallies = Vec::new();
    for run in [Run::blocking, Run::asynchronous] {
        let sandbox = StandardSandbox::builder().start().unwrap();
        let upstream = sandbox.scim_url().split('/').nth(2).unwrap().to_owned();
        let mut nginx = Nginx::before(&upstream);
        let config = nginx.config(&sandbox, retry.clone());
        let begun = Instant::now();
        let run = run(&config, number_of_writes());
        let reloads = nginx.stop_reloads();
        let tally = run.check(&sandbox);
        println!(
            "{}: {} applied, {} not applied, {} unknown and done, {} unknown and not done, {} wrong; {:.1} s, {reloads} \
             reloads",
            run.api,
            tally.applied,
            tally.not_applied,
            tally.unknown_and_done,
            tally.unknown_and_not_done.len(),
            tally.wrong.len(),
            begun.elapsed().as_secs_f64(),
        );
        tallies.push(tally);
    }
    tallies
}

#[test]
fn no_write_through_nginx_is_lost_doubled_or_misreported() {
    for tally in soak(&RetryPolicy::default()) {
        assert!(tally.wrong.is_empty(), "{:#?}", &tally.wrong[..tally.wrong.len().min(20)]);
        assert_eq!(tally.not_applied + tally.unknown_and_done + tally.unknown_and_not_done.len(), 0, "all are applied");
    }
}

#[test]
fn nginx_lets_in_who_shows_a_client_certificate() {
    let sandbox = StandardSandbox::start().unwrap();
    let nginx = Nginx::before(sandbox.base_url().trim_start_matches("http://").split('/').next().unwrap());
    let config = nginx.config(&sandbox, RetryPolicy::none());
    let url = config.scim_url().unwrap().replace(&nginx.port.to_string(), &nginx.mutual_port.to_string());
    let config = ScimConfig::new(url, Credentials::bearer(sandbox.token()))
        .profile(Profile::standard())
        .root_certificates(nginx.authority.as_str())
        .retry(RetryPolicy::none());
    let pem = |name: &str| fs::read_to_string(nginx.directory.path().join(name)).unwrap();
    let known = config.clone().client_certificate(pem("client.pem"), pem("client.key"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (config, is_let_in) in [(known, true), (config, false)] {
        let group = ScimGroup::new(format!("blocking {is_let_in}"));
        let client = blocking::ScimClient::with_config(&config).unwrap();
        let created = client.groups().create(&group);
        assert_eq!(created.is_ok(), is_let_in, "{created:?}");
        let client = asynchronous::ScimClient::with_config(&config).unwrap();
        let group = ScimGroup::new(format!("async {is_let_in}"));
        let created = runtime.block_on(async { client.groups().create(&group).await });
        assert_eq!(created.is_ok(), is_let_in, "{created:?}");
    }
    assert_eq!(sandbox.groups().len(), 2);
}

#[test]
fn without_retries_no_write_is_unknown_that_was_not_processed() {
    let tallies = soak(&RetryPolicy::none());
    for tally in &tallies {
        assert!(tally.wrong.is_empty(), "{:#?}", &tally.wrong[..tally.wrong.len().min(20)]);
    }
    // HTTP/1.1 does not say what was processed before a connection ended; HTTP/2 does.
    let [_, http2] = &tallies[..] else { panic!("two clients") };
    assert!(http2.not_applied > 0, "connections ended with GOAWAY");
    // A request without any answer was perhaps processed, for all that a client can know.
    let is_answered = |error: &&String| !error.contains("did not answer in time");
    let unknown: Vec<_> = http2.unknown_and_not_done.iter().filter(is_answered).collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
}
