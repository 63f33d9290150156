// The peer Go as a relay: io.Copy, which splices between two TCP connections; the runner sets GOMAXPROCS=1.
package main

import (
	"io"
	"log"
	"net"
	"os"
)

func move(to, from *net.TCPConn) {
	io.Copy(to, from)
	to.CloseWrite()
}

func main() {
	if len(os.Args) < 3 {
		log.Fatal("usage: go_relay PORT TARGET")
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:"+os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	for {
		client, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		server, err := net.Dial("tcp4", "127.0.0.1:"+os.Args[2])
		if err != nil {
			log.Fatal(err)
		}
		go move(server.(*net.TCPConn), client.(*net.TCPConn))
		go move(client.(*net.TCPConn), server.(*net.TCPConn))
	}
}
