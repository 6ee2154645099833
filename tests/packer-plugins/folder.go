package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/hashicorp/packer-plugin-sdk/packer"
)

// Folder is a machine: commands run in a folder, relative paths are inside it. It tells when a
// command starts.
type Folder struct {
	root    string
	started func(command string)
}

func (f *Folder) path(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(f.root, path)
}

func (f *Folder) Start(ctx context.Context, remote *packer.RemoteCmd) error {
	if f.started != nil {
		defer f.started(remote.Command)
	}
	command := exec.CommandContext(ctx, "sh", "-c", remote.Command)
	command.Dir = f.root
	command.Stdin, command.Stdout, command.Stderr = remote.Stdin, remote.Stdout, remote.Stderr
	if err := command.Start(); err != nil {
		return err
	}
	go func() {
		command.Wait()
		remote.SetExited(command.ProcessState.ExitCode())
	}()
	return nil
}

func (f *Folder) Upload(path string, source io.Reader, info *os.FileInfo) error {
	mode := os.FileMode(0o644)
	if info != nil {
		mode = (*info).Mode().Perm()
	}
	if err := os.MkdirAll(filepath.Dir(f.path(path)), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(f.path(path), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	if _, err := io.Copy(file, source); err != nil {
		return err
	}
	if err := file.Chmod(mode); err != nil {
		return err
	}
	return file.Close()
}

func (f *Folder) Download(path string, sink io.Writer) error {
	file, err := os.Open(f.path(path))
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(sink, file)
	return err
}

// copyTree follows links, as the plugin SDK's SSH communicator does.
func copyTree(target, source string) error {
	entries, err := os.ReadDir(source)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		from, to := filepath.Join(source, entry.Name()), filepath.Join(target, entry.Name())
		real, err := filepath.EvalSymlinks(from)
		if err != nil {
			return err
		}
		info, err := os.Stat(real)
		if err != nil {
			return err
		}
		if info.IsDir() {
			if err := os.MkdirAll(to, info.Mode().Perm()); err != nil {
				return err
			}
			err = copyTree(to, real)
		} else {
			err = exec.Command("cp", "-p", real, to).Run()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// UploadDir has the rules of `scp -rt`: the target is never made for what is in a folder.
func (f *Folder) UploadDir(target, source string, exclude []string) error {
	target = f.path(target)
	if info, err := os.Stat(target); err != nil || !info.IsDir() {
		return fmt.Errorf("scp: %s: no such folder", target)
	}
	if !strings.HasSuffix(source, "/") {
		target = filepath.Join(target, filepath.Base(source))
		if err := os.MkdirAll(target, 0o755); err != nil {
			return err
		}
	}
	return copyTree(target, source)
}

// DownloadDir has the rules of `scp -rf`: the folder keeps its name, unless that is a dot.
func (f *Folder) DownloadDir(source, target string, exclude []string) error {
	source = strings.TrimRight(f.path(source), "/")
	target = filepath.Join(target, source[strings.LastIndex(source, "/")+1:])
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	return copyTree(target, source)
}
