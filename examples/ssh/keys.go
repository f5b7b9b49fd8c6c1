package main

import (
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"
)

// trust has the host's key checked against a file of known hosts.
func trust(config *ssh.ClientConfig, file, address string) error {
	check, err := knownhosts.New(file)
	if err != nil {
		return err
	}
	config.HostKeyCallback = check
	// The host must show a key of a type that the file has. The file tells its keys when it
	// is asked for one that it cannot have.
	var unknown *knownhosts.KeyError
	if err := check(address, &net.TCPAddr{}, noKey{}); errors.As(err, &unknown) {
		for _, known := range unknown.Want {
			config.HostKeyAlgorithms = append(config.HostKeyAlgorithms, algorithms(known.Key)...)
		}
	}
	return nil
}

// algorithms returns the names under which a host proves a key. RSA has newer hashes than the
// key's own name says (RFC 8332).
func algorithms(key ssh.PublicKey) []string {
	if key.Type() == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSASHA512}
	}
	return []string{key.Type()}
}

// noKey is a key that no host has.
type noKey struct{}

func (noKey) Type() string                        { return "none" }
func (noKey) Marshal() []byte                     { return []byte("none") }
func (noKey) Verify([]byte, *ssh.Signature) error { return errors.New("no key") }

// authenticate takes the key of a file, or the agent's keys if file is "".
func authenticate(config *ssh.ClientConfig, file string) error {
	if file == "" {
		conn, err := net.Dial("unix", os.Getenv("SSH_AUTH_SOCK"))
		if err != nil {
			return fmt.Errorf("there is no SSH agent (%w): start one, or name a key by --identity", err)
		}
		config.Auth = []ssh.AuthMethod{ssh.PublicKeysCallback(agent.NewClient(conn).Signers)}
		return nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	key, err := ssh.ParsePrivateKey(pem)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	config.Auth = []ssh.AuthMethod{ssh.PublicKeys(key)}
	return nil
}
