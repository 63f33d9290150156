// The peer Go, for datagrams: one a call, for its library has no call for several; runs by control
// messages, as QUIC in Go does it. The runner sets GOMAXPROCS=1.
package main

import (
	"encoding/binary"
	"log"
	"net"
	"net/netip"
	"os"
	"strconv"
	"syscall"
)

const (
	datagramMax   = 64 * 1024
	orderMax      = 256 * 1024
	runMax        = 65000
	receiveBuffer = 4 << 20
	udpSegment    = 103
	udpGro        = 104
)

// See datagrams.h: words of this machine's byte order.
var order = binary.LittleEndian

type tally struct{ count, bytes, numbers uint64 }

// The answer, if the datagram asks for one.
func (t *tally) add(data []byte) []byte {
	if len(data) == 1 {
		answer := make([]byte, 32)
		order.PutUint64(answer, t.count)
		order.PutUint64(answer[8:], t.bytes)
		order.PutUint64(answer[16:], t.numbers)
		answer[24] = data[0]
		return answer
	}
	t.count++
	t.bytes += uint64(len(data))
	if len(data) >= 4 {
		t.numbers += uint64(order.Uint32(data))
	}
	return nil
}

func echo(socket *net.UDPConn) error {
	buffer := make([]byte, datagramMax)
	for {
		n, from, err := socket.ReadFromUDPAddrPort(buffer)
		if err != nil {
			return err
		}
		socket.WriteToUDPAddrPort(buffer[:n], from) // One that is not taken is lost, as datagrams may be.
	}
}

func sink(socket *net.UDPConn) error {
	buffer := make([]byte, datagramMax)
	var seen tally
	for {
		n, from, err := socket.ReadFromUDPAddrPort(buffer)
		if err != nil {
			return err
		}
		if answer := seen.add(buffer[:n]); answer != nil {
			socket.WriteToUDPAddrPort(answer, from)
		}
	}
}

// The size of the datagrams of a run; all of it if it is one.
func segmentOf(control []byte, all int) int {
	if len(control) >= syscall.CmsgLen(4) && order.Uint32(control[8:]) == syscall.IPPROTO_UDP &&
		order.Uint32(control[12:]) == udpGro {
		return int(order.Uint32(control[16:]))
	}
	return all
}

func gro(socket *net.UDPConn) error {
	raw, err := socket.SyscallConn()
	if err != nil {
		return err
	}
	raw.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_UDP, udpGro, 1) })
	if err != nil {
		return err
	}
	buffer, control := make([]byte, datagramMax), make([]byte, syscall.CmsgSpace(4))
	var seen tally
	for {
		n, controlled, _, from, err := socket.ReadMsgUDPAddrPort(buffer, control)
		if err != nil {
			return err
		}
		for left, segment := buffer[:n], segmentOf(control[:controlled], n); len(left) > 0; {
			if segment > len(left) {
				segment = len(left)
			}
			if answer := seen.add(left[:segment]); answer != nil {
				socket.WriteToUDPAddrPort(answer, from)
			}
			left = left[segment:]
		}
	}
}

func runBytes(size int) int {
	most := runMax / size
	if most > 64 { // UDP_MAX_SEGMENTS of older kernels.
		most = 64
	}
	return most * size
}

func gso(socket *net.UDPConn) error {
	all, words := make([]byte, orderMax), make([]byte, 64)
	for i := range all {
		all[i] = byte(i*7 + (i>>8)*31)
	}
	control := make([]byte, syscall.CmsgSpace(2))
	order.PutUint64(control, uint64(syscall.CmsgLen(2)))
	order.PutUint32(control[8:], syscall.IPPROTO_UDP)
	order.PutUint32(control[12:], udpSegment)
	for {
		n, from, err := socket.ReadFromUDPAddrPort(words)
		if err != nil {
			return err
		}
		if n != 12 {
			continue
		}
		first, count, size := order.Uint32(words), int(order.Uint32(words[4:])), int(order.Uint32(words[8:]))
		if count <= 0 || size < 4 || size > runMax || count > orderMax/size {
			continue
		}
		for i := 0; i < count; i++ {
			order.PutUint32(all[i*size:], first+uint32(i))
		}
		order.PutUint16(control[16:], uint16(size))
		for left := all[:count*size]; len(left) > 0; {
			run := runBytes(size)
			if run > len(left) {
				run = len(left)
			}
			socket.WriteMsgUDPAddrPort(left[:run], control, from)
			left = left[run:]
		}
	}
}

func main() {
	roles := map[string]func(*net.UDPConn) error{
		"echo": echo, "batch": echo, "sink": sink, "gro": gro, "gso": gso,
	}
	if len(os.Args) < 3 || roles[os.Args[2]] == nil {
		log.Fatal("usage: go_udp PORT echo|batch|sink|gro|gso")
	}
	port, err := strconv.ParseUint(os.Args[1], 10, 16)
	if err != nil {
		log.Fatal(err)
	}
	at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port))
	socket, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at))
	if err != nil {
		log.Fatal(err)
	}
	if err := socket.SetReadBuffer(receiveBuffer); err != nil {
		log.Fatal(err)
	}
	log.Fatal(roles[os.Args[2]](socket))
}
