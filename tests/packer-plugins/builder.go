package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/hashicorp/packer-plugin-sdk/packer"
	"github.com/hashicorp/packer-plugin-sdk/pathing"
)

// Builder gives out a folder as a machine, or one that is reached by SSH, and leaves a file.
type Builder struct{ config Config }

func (b *Builder) ConfigSpec() hcldec.ObjectSpec { return b.config.spec() }

func (b *Builder) Prepare(raws ...interface{}) ([]string, []string, error) {
	if err := b.config.decode("folder", raws...); err != nil {
		return nil, nil, err
	}
	var warnings []string
	switch b.config.Trouble {
	case "warn":
		warnings = append(warnings, "this is only a warning")
	case "refuse":
		return nil, nil, errors.New("count_of must be positive")
	case "die-prepare":
		fmt.Fprintln(os.Stderr, "the last words of a builder")
		os.Exit(3)
	}
	return []string{"Fruit"}, warnings, nil
}

func (b *Builder) Run(ctx context.Context, ui packer.Ui, hook packer.Hook) (packer.Artifact, error) {
	c := &b.config
	ui.Say(fmt.Sprintf("building %s %d %v %v", c.Name, c.Count, c.Labels, c.Tags))
	ui.Error("an error line")
	ui.Message("a message line")
	ui.Machine("fact", "one", "two")
	switch c.Trouble {
	case "config":
		// As the docker builder does.
		dir, err := pathing.ConfigDir()
		if err != nil {
			return nil, err
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
		ui.Say("keeps files in " + dir)
	case "fail":
		return nil, errors.New("the builder failed as told")
	case "die":
		fmt.Fprintln(os.Stderr, "the last words of a builder")
		os.Exit(3)
	case "flood":
		for i := 0; i < 20000; i++ {
			fmt.Fprintln(os.Stderr, strings.Repeat("x", 100))
		}
		fmt.Println(strings.Repeat("y", 1<<20))
	case "wait", "child":
		if c.Trouble == "child" {
			if err := exec.Command("sleep", "600").Start(); err != nil {
				return nil, err
			}
		}
		ui.Say("waiting")
		<-ctx.Done()
		ui.Say("cleaned up")
		return nil, ctx.Err()
	case "ask":
		answer, err := ui.Ask("what is it?")
		ui.Say(fmt.Sprintf("answer %q %v", answer, err))
	}
	reader := ui.TrackProgress("http://example/x.iso", 0, 10, io.NopCloser(strings.NewReader("0123456789")))
	if _, err := io.Copy(io.Discard, reader); err != nil {
		return nil, err
	}
	reader.Close()
	root, err := os.MkdirTemp("", "go-machine-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(root)
	hookContext, giveUp := context.WithCancel(ctx)
	defer giveUp()
	folder := &Folder{root: root}
	if c.Trouble == "give-up" {
		folder.started = func(command string) {
			ui.Say("giving up")
			giveUp()
		}
	}
	machine := packer.Communicator(folder)
	if c.Address != "" {
		if machine, err = reached(c); err != nil {
			return nil, err
		}
	}
	data := map[string]interface{}{
		"ID": "machine-1", "Host": "nowhere", "Port": 7, "User": "me", "Password": "go-hidden-pw",
		"ConnType": "folder", "PackerRunUUID": os.Getenv("PACKER_RUN_UUID"), "Fruit": "pear",
		"SSHPublicKey": "", "SSHPrivateKey": "", "WinRMPassword": "", "SSHAgentAuth": false,
		"PackerHTTPIP": "ERR_HTTP_IP_NOT_IMPLEMENTED_BY_BUILDER", "PackerHTTPPort": "ERR_HTTP_PORT_NOT_IMPLEMENTED_BY_BUILDER",
		"PackerHTTPAddr": "ERR_HTTP_ADDR_NOT_IMPLEMENTED_BY_BUILDER",
	}
	if err := hook.Run(hookContext, packer.HookProvision, ui, machine, data); err != nil {
		ui.Say(fmt.Sprintf("provisioning ended: %v", err))
		if c.Trouble == "cleanup" {
			hook.Run(ctx, packer.HookCleanupProvision, ui, machine, data)
		}
		ui.Say("cleaned up")
		return nil, err
	}
	if c.Output == "" {
		return nil, nil
	}
	if folder := filepath.Dir(c.Output); folder != "." {
		// As builders of whole machines do, which want their output folder for themselves.
		if err := os.Mkdir(folder, 0o755); err != nil {
			return nil, fmt.Errorf("Output directory exists: %s", folder)
		}
	}
	if err := os.WriteFile(c.Output, []byte("image of "+c.Name+"\n"), 0o644); err != nil {
		return nil, err
	}
	time.Sleep(time.Millisecond)
	return &Artifact{id: "image-1", files: []string{c.Output}}, nil
}

// Artifact is a list of files.
type Artifact struct {
	id    string
	files []string
}

func (a *Artifact) BuilderId() string { return "kiln.folder" }
func (a *Artifact) Files() []string   { return a.files }
func (a *Artifact) Id() string        { return a.id }
func (a *Artifact) String() string    { return "files: " + strings.Join(a.files, ", ") }
func (a *Artifact) State(name string) interface{} {
	switch name {
	case "generated_data":
		return map[string]interface{}{"Fruit": "pear", "Port": 7}
	case "ImageName":
		return "a-name"
	}
	return nil
}
func (a *Artifact) Destroy() error {
	for _, file := range a.files {
		if err := os.Remove(file); err != nil {
			return err
		}
	}
	return nil
}
