//! The thread of a proxy, which accepts or refuses connections.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime;
use tokio::sync::mpsc as async_mpsc;
use tokio::task;

use super::connection::{self, Shared};

/// The number of connections that can wait to be accepted.
const BACKLOG: u32 = 1024;

/// Whether to refuse connections from now on, and the channel that reports completion.
type Command = (bool, mpsc::Sender<io::Result<()>>);

/// The running proxy. Dropping it stops the proxy and waits for its end.
pub(super) struct Worker {
    commands: Option<async_mpsc::UnboundedSender<Command>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts a thread that serves `listener`, and returns when it accepts connections.
    pub(super) fn spawn(listener: StdListener, shared: Arc<Shared>) -> io::Result<Self> {
        let (commands, inbox) = async_mpsc::unbounded_channel();
        let (report, started) = mpsc::channel();
        let thread = thread::Builder::new().name("wats-fault-proxy".to_owned()).spawn(move || {
            // The runtime is created and dropped on this thread. The thread that starts a proxy may
            // belong to another runtime, in which dropping this one would panic.
            let prepared = prepare(listener, shared);
            let (runtime, door) = match prepared {
                Ok(prepared) => prepared,
                Err(error) => {
                    let _ = report.send(Err(error));
                    return;
                }
            };
            let _ = report.send(Ok(()));
            // Ends when the sender is dropped; the runtime then closes all connections.
            runtime.block_on(door.obey(inbox));
        })?;
        let worker = Self { commands: Some(commands), thread: Some(thread) };
        started.recv().map_err(io::Error::other)??;
        Ok(worker)
    }

    /// Closes or opens the listener, and returns when that is done.
    pub(super) fn refuse(&self, refuse: bool) -> io::Result<()> {
        let (sender, receiver) = mpsc::channel();
        let gone = || io::Error::other("the fault proxy has ended");
        self.commands.as_ref().ok_or_else(gone)?.send((refuse, sender)).map_err(|_| gone())?;
        receiver.recv().map_err(|_| gone())?
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.commands.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the proxy thread was already reported on stderr.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").finish_non_exhaustive()
    }
}

fn prepare(listener: StdListener, shared: Arc<Shared>) -> io::Result<(runtime::Runtime, Door)> {
    let runtime = runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    let address = listener.local_addr()?;
    let listener = {
        let _context = runtime.enter();
        TcpListener::from_std(listener)?
    };
    let accepting = Some(runtime.spawn(accept(listener, Arc::clone(&shared))));
    Ok((runtime, Door { address, shared, accepting, reserved: None }))
}

/// The listener, open or closed.
struct Door {
    address: SocketAddr,
    shared: Arc<Shared>,
    /// The task that accepts connections; `None` while connections are refused.
    accepting: Option<task::JoinHandle<()>>,
    /// Reserves the port without listening, so that no other process can bind it.
    reserved: Option<TcpSocket>,
}

impl Door {
    async fn obey(mut self, mut commands: async_mpsc::UnboundedReceiver<Command>) {
        while let Some((refuse, answer)) = commands.recv().await {
            let done = if refuse { self.close().await } else { self.open() };
            let _ = answer.send(done);
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        self.shared.refusing.send_replace(true);
        if let Some(accepting) = self.accepting.take() {
            accepting.abort();
            // The listener is closed when the task has ended.
            let _ = accepting.await;
            // Connections are refused even without this socket.
            self.reserved = self.reserve().ok();
        }
        Ok(())
    }

    fn open(&mut self) -> io::Result<()> {
        if self.accepting.is_none() {
            let socket = match self.reserved.take() {
                Some(socket) => socket,
                None => self.reserve()?,
            };
            let listener = socket.listen(BACKLOG)?;
            self.accepting = Some(tokio::spawn(accept(listener, Arc::clone(&self.shared))));
        }
        self.shared.refusing.send_replace(false);
        Ok(())
    }

    fn reserve(&self) -> io::Result<TcpSocket> {
        let socket = TcpSocket::new_v4()?;
        // Earlier connections may linger on the port. Windows does not need this, and there it would
        // allow other processes to bind the port.
        if cfg!(unix) {
            socket.set_reuseaddr(true)?;
        }
        socket.bind(self.address)?;
        Ok(socket)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(connection::serve(stream, Arc::clone(&shared)));
            }
            // Probably out of file descriptors, which become available as connections close.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}
