// The peer tokio: a task and a 64 KiB buffer a connection, on the current thread or on several.  tokio.rs
use std::{env, io, net::Ipv4Addr, process};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UnixListener};
use tokio::runtime::Builder;

trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for T {}

async fn echo(mut peer: impl Stream) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match peer.read(&mut buffer).await? {
            0 => return Ok(()),
            n => peer.write_all(&buffer[..n]).await?,
        }
    }
}

async fn sink(mut peer: impl Stream) -> io::Result<()> {
    let mut buffer = vec![0; 256 * 1024];
    let mut discarded: u64 = 0;
    loop {
        match peer.read(&mut buffer).await? {
            0 => return peer.write_all(&discarded.to_ne_bytes()).await,
            n => discarded += n as u64,
        }
    }
}

fn serve(peer: impl Stream, sinks: bool) {
    if sinks {
        tokio::spawn(sink(peer));
    } else {
        tokio::spawn(echo(peer));
    }
}

async fn listen(at: &str, sinks: bool) -> io::Result<()> {
    if at.starts_with('/') {
        let listener = UnixListener::bind(at)?;
        loop {
            serve(listener.accept().await?.0, sinks);
        }
    }
    let port: u16 = at.parse().expect("a port or a path");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    loop {
        let (peer, _) = listener.accept().await?;
        if peer.set_nodelay(true).is_ok() {
            serve(peer, sinks);
        }
    }
}

fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().collect();
    if arguments.len() < 2 {
        eprintln!("usage: tokio_echo PORT|PATH [sink]");
        process::exit(2);
    }
    let sinks = arguments.get(2).map_or(false, |role| role == "sink");
    let mut runtime = match arguments.get(3).map_or(1, |count| count.parse().expect("threads")) {
        1 => Builder::new_current_thread(),
        several => {
            let mut many = Builder::new_multi_thread();
            many.worker_threads(several);
            many
        }
    };
    runtime.enable_io().build()?.block_on(listen(&arguments[1], sinks))
}
