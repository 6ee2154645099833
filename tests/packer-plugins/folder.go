package main

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/hashicorp/packer-plugin-sdk/packer"
)

// Folder is a machine: commands run in a folder, relative paths are inside it.
type Folder struct{ root string }

func (f *Folder) path(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(f.root, path)
}

func (f *Folder) Start(ctx context.Context, remote *packer.RemoteCmd) error {
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

func copyTree(target, source string) error {
	if !strings.HasSuffix(source, "/") {
		target = filepath.Join(target, filepath.Base(source))
	}
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	return exec.Command("cp", "-a", filepath.Clean(source)+"/.", target).Run()
}

func (f *Folder) UploadDir(target, source string, exclude []string) error {
	return copyTree(f.path(target), source)
}

func (f *Folder) DownloadDir(source, target string, exclude []string) error {
	slash := ""
	if strings.HasSuffix(source, "/") {
		slash = "/"
	}
	return copyTree(target, f.path(source)+slash)
}
