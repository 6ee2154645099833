package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"kiln.example/goplugin/wire"
)

const chunkBytes = 512 << 10

// machine is a folder: commands run in it, files and trees go in and out.
type machine struct {
	wire.UnimplementedCommunicatorServer
	root string
}

// fail is a failure in the form that provisioners understand.
func fail(ctx context.Context, code codes.Code, operation, detail string) error {
	// Without the details it is a failure all the same.
	_ = grpc.SetTrailer(ctx, metadata.Pairs("kiln-operation-bin", operation, "kiln-detail-bin", detail))
	return status.Error(code, detail)
}

func refused(ctx context.Context, operation string, err error) error {
	return fail(ctx, codes.FailedPrecondition, operation, err.Error())
}

// place is where a path of the machine is. It stays within the machine: `..` ends at its root.
func (m *machine) place(path string) string { return filepath.Join(m.root, filepath.Join("/", path)) }

func (m *machine) Exec(stream wire.Communicator_ExecServer) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	// The context ends when the caller drops the call: nothing runs on behind its back.
	command := exec.CommandContext(stream.Context(), "/bin/sh", "-c", first.GetStart().GetCommand())
	command.Dir = m.root
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	input, err := command.StdinPipe()
	if err != nil {
		return refused(stream.Context(), "exec", err)
	}
	var sending sync.Mutex
	send := func(event *wire.ExecEvent) error {
		sending.Lock()
		defer sending.Unlock()
		return stream.Send(event)
	}
	command.Stdout = writer(func(data []byte) error {
		return send(&wire.ExecEvent{Event: &wire.ExecEvent_Stdout{Stdout: data}})
	})
	command.Stderr = writer(func(data []byte) error {
		return send(&wire.ExecEvent{Event: &wire.ExecEvent_Stderr{Stderr: data}})
	})
	if err := command.Start(); err != nil {
		return refused(stream.Context(), "exec", err)
	}
	go func() {
		defer input.Close()
		for {
			request, err := stream.Recv()
			if err != nil || request.GetStdinEnd() != nil {
				return
			}
			if _, err := input.Write(request.GetStdin()); err != nil {
				return // It does not read its input.
			}
		}
	}()
	if err := command.Wait(); err != nil {
		var exited *exec.ExitError
		if !errors.As(err, &exited) {
			return refused(stream.Context(), "exec", err)
		}
	}
	exit := &wire.ExecExit{How: &wire.ExecExit_Code{Code: uint32(command.ProcessState.ExitCode())}}
	if how, is := command.ProcessState.Sys().(syscall.WaitStatus); is && how.Signaled() {
		exit.How = &wire.ExecExit_Signal{Signal: signalNames[how.Signal()]}
	}
	return send(&wire.ExecEvent{Event: &wire.ExecEvent_Exit{Exit: exit}})
}

var signalNames = map[syscall.Signal]string{
	syscall.SIGHUP: "HUP", syscall.SIGINT: "INT", syscall.SIGKILL: "KILL", syscall.SIGTERM: "TERM",
	syscall.SIGSEGV: "SEGV", syscall.SIGABRT: "ABRT", syscall.SIGPIPE: "PIPE", syscall.SIGQUIT: "QUIT",
}

type writer func([]byte) error

func (w writer) Write(data []byte) (int, error) {
	for begin := 0; begin < len(data); begin += chunkBytes {
		end := begin + chunkBytes
		if end > len(data) {
			end = len(data)
		}
		// A copy, because messages may be written later than this returns.
		if err := w(append([]byte(nil), data[begin:end]...)); err != nil {
			return begin, err
		}
	}
	return len(data), nil
}

func mode(bits uint32) fs.FileMode {
	if bits == 0 {
		return 0o644
	}
	return fs.FileMode(bits).Perm()
}

func (m *machine) Upload(stream wire.Communicator_UploadServer) error {
	chunk, err := stream.Recv()
	if err != nil {
		return err
	}
	path := m.place(chunk.GetHeader().GetPath())
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, mode(chunk.Header.GetMode()))
	if err != nil {
		return refused(stream.Context(), "upload", err)
	}
	defer file.Close()
	total := uint64(0)
	for ; err == nil; chunk, err = stream.Recv() {
		written, err := file.Write(chunk.Data)
		if err != nil {
			return refused(stream.Context(), "upload", err)
		}
		total += uint64(written)
	}
	if err != io.EOF {
		return err // A stream that breaks off is no end.
	}
	return stream.SendAndClose(&wire.UploadResponse{Bytes: total})
}

func (m *machine) Download(request *wire.DownloadRequest, stream wire.Communicator_DownloadServer) error {
	file, err := os.Open(m.place(request.Path))
	if err != nil {
		return refused(stream.Context(), "download", err)
	}
	defer file.Close()
	facts, err := file.Stat()
	if err != nil || facts.IsDir() {
		return fail(stream.Context(), codes.FailedPrecondition, "download", request.Path+" is not a file")
	}
	size := uint64(facts.Size())
	if err := stream.Send(&wire.DownloadChunk{Size: &size}); err != nil {
		return err
	}
	_, err = io.Copy(writer(func(data []byte) error { return stream.Send(&wire.DownloadChunk{Data: data}) }), file)
	return err
}

func (m *machine) UploadTree(stream wire.Communicator_UploadTreeServer) error {
	var root string
	var file *os.File
	total := uint64(0)
	defer func() { file.Close() }()
	for {
		chunk, err := stream.Recv()
		if err == io.EOF {
			return stream.SendAndClose(&wire.UploadResponse{Bytes: total})
		}
		if err != nil {
			return err
		}
		switch part := chunk.Part.(type) {
		case *wire.TreeChunk_Header:
			root = m.place(part.Header.Path)
			err = os.MkdirAll(root, 0o755)
		case *wire.TreeChunk_Entry:
			file.Close()
			file, err = entry(root, part.Entry)
		case *wire.TreeChunk_Data:
			var written int
			written, err = file.Write(part.Data)
			total += uint64(written)
		}
		if err != nil {
			return refused(stream.Context(), "upload", err)
		}
	}
}

// entry makes an entry of a tree; it gives back the file that the next bytes belong to.
func entry(root string, entry *wire.TreeEntry) (*os.File, error) {
	path := filepath.Join(root, filepath.Join("/", entry.Path))
	switch entry.Kind {
	case wire.TreeEntry_KIND_DIRECTORY:
		return nil, os.MkdirAll(path, 0o755)
	case wire.TreeEntry_KIND_SYMLINK:
		_ = os.Remove(path) // It may not be there.
		return nil, os.Symlink(entry.Target, path)
	default:
		return os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, mode(entry.Mode))
	}
}

func (m *machine) DownloadTree(request *wire.DownloadTreeRequest, stream wire.Communicator_DownloadTreeServer) error {
	root := m.place(request.Path)
	err := filepath.WalkDir(root, func(path string, found fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		relative := strings.TrimPrefix(path, root+"/")
		for _, unwanted := range request.Exclude {
			if unwanted == relative || unwanted == found.Name() {
				if found.IsDir() {
					return fs.SkipDir
				}
				return nil
			}
		}
		return sendEntry(stream, path, relative)
	})
	if err != nil {
		return refused(stream.Context(), "download", err)
	}
	return nil
}

func sendEntry(stream wire.Communicator_DownloadTreeServer, path, relative string) error {
	facts, err := os.Lstat(path)
	if err != nil {
		return err
	}
	entry := &wire.TreeEntry{Path: relative, Mode: uint32(facts.Mode().Perm()), Kind: wire.TreeEntry_KIND_FILE}
	switch {
	case facts.IsDir():
		entry.Kind = wire.TreeEntry_KIND_DIRECTORY
	case facts.Mode()&fs.ModeSymlink != 0:
		entry.Kind = wire.TreeEntry_KIND_SYMLINK
		if entry.Target, err = os.Readlink(path); err != nil {
			return err
		}
	default:
		entry.Size = uint64(facts.Size())
	}
	if err := stream.Send(&wire.TreeChunk{Part: &wire.TreeChunk_Entry{Entry: entry}}); err != nil {
		return err
	}
	if entry.Kind != wire.TreeEntry_KIND_FILE {
		return nil
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(writer(func(data []byte) error {
		return stream.Send(&wire.TreeChunk{Part: &wire.TreeChunk_Data{Data: data}})
	}), file)
	return err
}

func (m *machine) Reconnect(context.Context, *wire.ReconnectRequest) (*wire.ReconnectResponse, error) {
	return &wire.ReconnectResponse{}, nil
}

func (m *machine) Forward(stream wire.Communicator_ForwardServer) error {
	return fail(stream.Context(), codes.Unimplemented, "forward", "go")
}
