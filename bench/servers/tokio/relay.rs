// The peer tokio as a relay: copy_bidirectional, which has a buffer of 8 KiB each way.  tokio.rs
use std::{env, io, net::Ipv4Addr, process};
use tokio::net::{TcpListener, TcpStream};

async fn join(mut client: TcpStream, target: u16) -> io::Result<()> {
    let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, target)).await?;
    tokio::io::copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let ports: Vec<u16> = env::args().skip(1).map(|word| word.parse().expect("a port")).collect();
    if ports.len() < 2 {
        eprintln!("usage: tokio_relay PORT TARGET");
        process::exit(2);
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, ports[0])).await?;
    loop {
        tokio::spawn(join(listener.accept().await?.0, ports[1]));
    }
}
