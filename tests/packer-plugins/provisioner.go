package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/hashicorp/packer-plugin-sdk/packer"
	"github.com/hashicorp/packer-plugin-sdk/template/interpolate"
)

// Provisioner does everything that can be done to a machine, and says what came of it.
type Provisioner struct{ config Config }

func (p *Provisioner) ConfigSpec() hcldec.ObjectSpec { return p.config.spec() }

func (p *Provisioner) Prepare(raws ...interface{}) error {
	if err := p.config.decode("check", raws...); err != nil {
		return err
	}
	switch p.config.Trouble {
	case "refuse":
		return errors.New("count_of must be positive")
	case "wait-prepare":
		// The first preparation is only a check; the second belongs to the run.
		if _, err := os.Stat(p.config.Folder + "/checked"); err != nil {
			return os.WriteFile(p.config.Folder+"/checked", nil, 0o644)
		}
		if err := os.WriteFile(p.config.Folder+"/waiting", nil, 0o644); err != nil {
			return err
		}
		select {}
	}
	return nil
}

func (p *Provisioner) Provision(ctx context.Context, ui packer.Ui, machine packer.Communicator, data map[string]interface{}) error {
	c := &p.config
	switch c.Trouble {
	case "name":
		c.ctx.Data = data
		name, err := interpolate.Render(c.Name, &c.ctx)
		ui.Say("named " + name)
		return err
	case "fail":
		return errors.New("the provisioner failed as told")
	case "die":
		fmt.Fprintln(os.Stderr, "the last words of a provisioner")
		os.Exit(3)
	case "wait":
		ui.Say("waiting")
		// It ends when nobody reads what it says.
		remote := &packer.RemoteCmd{Command: "while sleep 1; do echo more; done"}
		if err := machine.Start(ctx, remote); err != nil {
			return err
		}
		<-ctx.Done()
		return ctx.Err()
	}
	ui.Say(fmt.Sprintf("data %v %v", data["ID"], data["Port"]))
	if password := data["Password"]; password != nil && password != "" {
		ui.Say(fmt.Sprintf("password %v", password))
	}
	if err := p.command(ctx, ui, machine); err != nil {
		return err
	}
	if err := p.files(ui, machine); err != nil {
		return err
	}
	return p.trees(ui, machine)
}

func (p *Provisioner) command(ctx context.Context, ui packer.Ui, machine packer.Communicator) error {
	var stdout, stderr bytes.Buffer
	remote := &packer.RemoteCmd{
		Command: "cat; echo err >&2; exit 7",
		Stdin:   strings.NewReader("from stdin"),
		Stdout:  &stdout,
		Stderr:  &stderr,
	}
	if err := machine.Start(ctx, remote); err != nil {
		return err
	}
	ui.Say(fmt.Sprintf("check exec %d %q %q", remote.Wait(), stdout.String(), strings.TrimSpace(stderr.String())))
	stdout.Reset()
	remote = &packer.RemoteCmd{Command: "head -c 3000000 /dev/zero | tr '\\0' a", Stdout: &stdout}
	if err := machine.Start(ctx, remote); err != nil {
		return err
	}
	ui.Say(fmt.Sprintf("check long output %d %d", remote.Wait(), stdout.Len()))
	return nil
}

func (p *Provisioner) files(ui packer.Ui, machine packer.Communicator) error {
	folder, err := os.MkdirTemp("", "go-files-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	local := filepath.Join(folder, "script")
	content := bytes.Repeat([]byte("line of a file\n"), 200000)
	if err := os.WriteFile(local, content, 0o750); err != nil {
		return err
	}
	info, err := os.Stat(local)
	if err != nil {
		return err
	}
	target := p.config.Folder + "/go-script"
	if err := machine.Upload(target, bytes.NewReader(content), &info); err != nil {
		return err
	}
	var back, mode bytes.Buffer
	if err := machine.Download(target, &back); err != nil {
		return err
	}
	remote := &packer.RemoteCmd{Command: "stat -c %a " + target, Stdout: &mode}
	if err := machine.Start(context.Background(), remote); err != nil {
		return err
	}
	remote.Wait()
	ui.Say(fmt.Sprintf("check file %d %v %s", back.Len(), bytes.Equal(back.Bytes(), content), strings.TrimSpace(mode.String())))
	err = machine.Download(p.config.Folder+"/missing", &back)
	ui.Say(fmt.Sprintf("check missing file %v", err != nil))
	return nil
}

func (p *Provisioner) trees(ui packer.Ui, machine packer.Communicator) error {
	folder, err := os.MkdirTemp("", "go-trees-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	up := filepath.Join(folder, "go-tree")
	for _, name := range []string{"a", "sub/b", "sub/deep/c"} {
		path := filepath.Join(up, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte("content of "+name), 0o644); err != nil {
			return err
		}
	}
	target := p.config.Folder + "/go-tree"
	// The first makes the folder, the second only fills it.
	if err := machine.UploadDir(p.config.Folder, up, nil); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(up, "d"), []byte("content of d"), 0o644); err != nil {
		return err
	}
	if err := machine.UploadDir(target, up+"/", nil); err != nil {
		return err
	}
	for _, ending := range []string{"", "/", "/."} {
		down := filepath.Join(folder, "down"+strings.ReplaceAll(ending, "/", "-"))
		if err := os.MkdirAll(down, 0o755); err != nil {
			return err
		}
		if err := machine.DownloadDir(target+ending, down, nil); err != nil {
			return err
		}
		found, err := listing(down)
		if err != nil {
			return err
		}
		ui.Say("check tree" + ending + " " + strings.Join(found, ","))
	}
	return nil
}

func listing(folder string) ([]string, error) {
	var found []string
	err := filepath.Walk(folder, func(path string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			content, _ := os.ReadFile(path)
			name, _ := filepath.Rel(folder, path)
			found = append(found, name+"="+string(content))
		}
		return err
	})
	return found, err
}
