// The peer Go: a goroutine and a 64 KiB buffer a connection, on one thread at a time, or as many as the third
// argument says.
package main

import (
	"encoding/binary"
	"io"
	"log"
	"net"
	"os"
	"runtime"
	"strconv"
)

// Not io.Copy: between two TCP sockets it would splice through a pipe, which is slower for small messages.
func echo(peer net.Conn) {
	defer peer.Close()
	buffer := make([]byte, 64*1024)
	for {
		n, err := peer.Read(buffer)
		if err != nil {
			return
		}
		if _, err := peer.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func sink(peer net.Conn) {
	defer peer.Close()
	buffer := make([]byte, 256*1024)
	var discarded uint64
	for {
		n, err := peer.Read(buffer)
		discarded += uint64(n)
		if err == io.EOF {
			binary.Write(peer, binary.LittleEndian, discarded)
		}
		if err != nil {
			return
		}
	}
}

func main() {
	if len(os.Args) < 2 {
		log.Fatal("usage: go_echo PORT|PATH [sink]")
	}
	serve := echo
	if len(os.Args) > 2 && os.Args[2] == "sink" {
		serve = sink
	}
	threads := 1
	if len(os.Args) > 3 {
		threads, _ = strconv.Atoi(os.Args[3])
	}
	runtime.GOMAXPROCS(threads)
	kind, where := "tcp4", "127.0.0.1:"+os.Args[1]
	if os.Args[1][0] == '/' {
		kind, where = "unix", os.Args[1]
	}
	listener, err := net.Listen(kind, where)
	if err != nil {
		log.Fatal(err)
	}
	for {
		peer, err := listener.Accept() // TCP_NODELAY is Go's default.
		if err != nil {
			log.Fatal(err)
		}
		go serve(peer)
	}
}
