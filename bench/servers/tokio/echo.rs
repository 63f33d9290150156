// The peer tokio: a task and a 64 KiB buffer a connection, on the current thread.  tokio.rs
use std::{env, io, net::Ipv4Addr, process};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UnixListener};

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

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().collect();
    if arguments.len() < 2 {
        eprintln!("usage: tokio_echo PORT|PATH [sink]");
        process::exit(2);
    }
    let sinks = arguments.get(2).map_or(false, |role| role == "sink");
    listen(&arguments[1], sinks).await
}
