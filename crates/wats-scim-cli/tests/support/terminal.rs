//! Runs the built command on a terminal.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{ioctl_tiocsctty, setsid};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

/// A command that shows nothing for so long hangs.
const LONG: Duration = Duration::from_secs(60);

/// The end of the input, on a line of its own.
pub(crate) const CTRL_D: &str = "\u{4}";
pub(crate) const CTRL_C: &str = "\u{3}";

/// A command that runs on a terminal of its own.
pub(crate) struct Terminal {
    child: Child,
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    shown: Vec<u8>,
}

impl Terminal {
    pub(crate) fn start(mut command: Command) -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap();
        let name = std::ffi::OsStr::from_bytes(name.as_bytes());
        let theirs = || File::options().read(true).write(true).open(name).unwrap();
        let terminal = theirs();
        // SAFETY: both are calls of the system, which allocate nothing.
        unsafe {
            // The terminal is that of the command, so that Ctrl-C is a signal to it.
            command.pre_exec(move || {
                setsid()?;
                ioctl_tiocsctty(&terminal).map_err(io::Error::from)
            });
        }
        command.env("TERM", "xterm").stdin(theirs()).stdout(theirs()).stderr(theirs());
        let child = command.spawn().unwrap();
        // It has the terminal open, too.
        drop(command);
        let keyboard = File::from(ours);
        let mut reader = keyboard.try_clone().unwrap();
        let (send, screen) = channel();
        // The read fails when nothing has the terminal open any more.
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = reader.read(&mut bytes) {
                if send.send(bytes[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { child, keyboard, screen, shown: Vec::new() }
    }

    /// Waits until the command has shown this text and reads without echo, and types a line.
    #[track_caller]
    pub(crate) fn answer(&mut self, question: &str, line: &str) {
        self.wait_for(question);
        // What is typed before the command reads it without echo is discarded.
        let started = Instant::now();
        while tcgetattr(&self.keyboard).unwrap().local_modes.contains(LocalModes::ICANON | LocalModes::ECHO) {
            assert!(started.elapsed() < LONG, "nothing is read: {}", self.text());
            thread::yield_now();
        }
        self.press(&format!("{line}\r"));
    }

    /// Waits until the command has shown this text.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) {
        self.wait_until(text, |shown| shown.contains(text));
    }

    /// Waits for what the command shows.
    #[track_caller]
    pub(crate) fn wait_until(&mut self, what: &str, is_shown: impl Fn(&str) -> bool) {
        while !is_shown(&self.text()) {
            assert!(self.read(), "{what} is not shown: {}", self.text());
        }
    }

    /// Presses keys.
    pub(crate) fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits for the end, and returns the exit code and all that was shown.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        while self.read() {}
        (self.child.wait().unwrap().code(), self.text())
    }

    /// Reads what is shown next; false at the end.
    fn read(&mut self) -> bool {
        match self.screen.recv_timeout(LONG) {
            Ok(bytes) => self.shown.extend(bytes),
            Err(RecvTimeoutError::Disconnected) => return false,
            Err(RecvTimeoutError::Timeout) => {
                self.child.kill().unwrap();
                panic!("it does not go on: {}", self.text());
            }
        }
        true
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.shown).into_owned()
    }
}
