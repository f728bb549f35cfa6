//! The real `purser` as a separate process with its data in a folder: started, killed and measured.
//!
//! Invariant: the process never outlives its [`Laptop`], and its standard error is kept in a file beside the folder.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// Longer than any start takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

pub const OPERATOR_KEY: &str = "the operator's key, any string";

pub struct Laptop {
    child: Child,
    url: String,
}

impl Laptop {
    /// Starts `purser` on the data in `folder` with these environment variables, without waiting for it.
    pub fn spawn(folder: &Path, variables: &[(&str, &str)]) -> Self {
        let log = folder.with_extension("log");
        let log = OpenOptions::new().create(true).append(true).open(log);
        let child = Command::new(program("purser"))
            .args(["--port", "0", "--no-demo", "--data"])
            .arg(folder)
            .env("PURSER_OPERATOR_KEY", OPERATOR_KEY)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log.expect("a log"))
            .spawn()
            .expect("purser should start; build it with `make built`");
        Self { child, url: String::new() }
    }

    pub async fn ready(mut self) -> Self {
        let output = self.child.stdout.take().expect("its output");
        let read = spawn_blocking(move || {
            let lines = BufReader::new(output).lines().map_while(Result::ok);
            let mut lines = lines.skip_while(|line| !line.contains("API "));
            lines.next()
        });
        let line = timeout(PATIENCE, read).await.expect("a start in time");
        let line = line.expect("its output").expect("a banner");
        let url = line.split_whitespace().find(|word| word.starts_with("http://"));
        url.and_then(|url| url.strip_suffix("/v1")).expect("an address").clone_into(&mut self.url);
        self
    }

    pub async fn start(folder: &Path, variables: &[(&str, &str)]) -> Self {
        Self::spawn(folder, variables).ready().await
    }

    /// The address of its API, without the version.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Ends `purser` with SIGKILL, which it can't handle, and waits until it is gone.
    pub fn kill(mut self) {
        self.end();
    }

    /// The peak of its resident memory, in MiB (`VmHWM`).
    pub fn peak_memory(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).expect("Linux's /proc");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kibibytes.expect("a figure") / 1024
    }

    pub fn processor_time(&self) -> Duration {
        processor_time(self.child.id())
    }

    /// Runs `purser-operator verify`. Returns whether it found every wallet intact, and its output.
    pub async fn verify(&self) -> (bool, String) {
        let mut command = Command::new(program("purser-operator"));
        command.args(["verify", "--url", &self.url]);
        command.env("PURSER_OPERATOR_KEY", OPERATOR_KEY);
        command.stdin(Stdio::null());
        let run = spawn_blocking(move || command.output());
        let run = run.await.expect("it ends by itself");
        let run = run.expect("purser-operator should start; build it with `make built`");
        let said = [run.stdout, run.stderr].concat();
        let said = String::from_utf8_lossy(&said).trim().to_owned();
        (run.status.success(), said)
    }

    fn end(&mut self) {
        // Ending it fails only if it has already ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Laptop {
    fn drop(&mut self) {
        self.end();
    }
}

/// The processor time that a process has taken since it started.
pub fn processor_time(process: u32) -> Duration {
    let status = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("Linux's /proc");
    // After the name in brackets, the 12th and the 13th field are the user and the kernel time, in ticks of 10 ms.
    let fields = status.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// The path of a binary that was built together with this one.
fn program(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("a path");
    own.with_file_name(name)
}
