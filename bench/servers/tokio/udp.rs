// The peer tokio, for datagrams: one a call, for it has no call for several, and passes on no control
// messages.  tokio.rs
use std::{env, io, net::Ipv4Addr, process};
use tokio::net::UdpSocket;

const DATAGRAM_MAX: usize = 64 * 1024;
const ORDER_MAX: usize = 256 * 1024;
const RUN_MAX: usize = 65000;
const RECEIVE_BUFFER: usize = 4 << 20;

// See datagrams.h: words of this machine's byte order.
#[derive(Default)]
struct Tally {
    count: u64,
    bytes: u64,
    numbers: u64,
}

impl Tally {
    // The answer, if the datagram asks for one.
    fn add(&mut self, data: &[u8]) -> Option<[u8; 32]> {
        if data.len() == 1 {
            let mut answer = [0; 32];
            for (i, word) in [self.count, self.bytes, self.numbers, data[0].into()].into_iter().enumerate() {
                answer[i * 8..i * 8 + 8].copy_from_slice(&word.to_ne_bytes());
            }
            return Some(answer);
        }
        self.count += 1;
        self.bytes += data.len() as u64;
        if data.len() >= 4 {
            self.numbers += u64::from(number_at(data, 0));
        }
        None
    }
}

fn number_at(data: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes(data[at..at + 4].try_into().unwrap())
}

async fn echo(socket: UdpSocket) -> io::Result<()> {
    let mut buffer = vec![0; DATAGRAM_MAX];
    loop {
        let (n, from) = socket.recv_from(&mut buffer).await?;
        let _ = socket.send_to(&buffer[..n], from).await; // One that is not taken is lost, as datagrams may be.
    }
}

async fn sink(socket: UdpSocket) -> io::Result<()> {
    let mut buffer = vec![0; DATAGRAM_MAX];
    let mut seen = Tally::default();
    loop {
        let (n, from) = socket.recv_from(&mut buffer).await?;
        if let Some(answer) = seen.add(&buffer[..n]) {
            let _ = socket.send_to(&answer, from).await;
        }
    }
}

async fn send_orders(socket: UdpSocket) -> io::Result<()> {
    let mut all: Vec<u8> = (0..ORDER_MAX).map(|i| (i * 7 + (i >> 8) * 31) as u8).collect();
    let mut words = [0; 64];
    loop {
        let (n, from) = socket.recv_from(&mut words).await?;
        if n != 12 {
            continue;
        }
        let first = number_at(&words, 0);
        let (count, size) = (number_at(&words, 4) as usize, number_at(&words, 8) as usize);
        if count == 0 || size < 4 || size > RUN_MAX || count > ORDER_MAX / size {
            continue;
        }
        for (i, datagram) in all.chunks_exact_mut(size).take(count).enumerate() {
            datagram[..4].copy_from_slice(&first.wrapping_add(i as u32).to_ne_bytes());
        }
        for datagram in all.chunks_exact(size).take(count) {
            let _ = socket.send_to(datagram, from).await;
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().collect();
    if arguments.len() < 3 {
        eprintln!("usage: tokio_udp PORT echo|batch|sink|gro|gso");
        process::exit(2);
    }
    let port: u16 = arguments[1].parse().expect("a port");
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).await?;
    socket2::SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER)?;
    match arguments[2].as_str() {
        "echo" | "batch" => echo(socket).await,
        "sink" | "gro" => sink(socket).await,
        "gso" => send_orders(socket).await,
        _ => process::exit(2),
    }
}
