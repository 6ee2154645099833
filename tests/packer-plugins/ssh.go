package main

import (
	"os"

	"github.com/hashicorp/packer-plugin-sdk/packer"
	sdkssh "github.com/hashicorp/packer-plugin-sdk/sdk-internals/communicator/ssh"
	"golang.org/x/crypto/ssh"
)

// reached is a machine that the plugin SDK talks to, by scp or SFTP.
func reached(c *Config) (packer.Communicator, error) {
	key, err := os.ReadFile(c.Key)
	if err != nil {
		return nil, err
	}
	signer, err := ssh.ParsePrivateKey(key)
	if err != nil {
		return nil, err
	}
	return sdkssh.New(c.Address, &sdkssh.Config{
		Connection: sdkssh.ConnectFunc("tcp", c.Address),
		UseSftp:    c.Sftp,
		SSHConfig: &ssh.ClientConfig{
			User:            c.User,
			Auth:            []ssh.AuthMethod{ssh.PublicKeys(signer)},
			HostKeyCallback: ssh.InsecureIgnoreHostKey(),
		},
	})
}
