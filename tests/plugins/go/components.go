package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"kiln.example/goplugin/wire"
)

var errKind = errors.New("the host started the component as one of another kind")

var builder = component{
	kind: wire.ComponentKind_COMPONENT_KIND_BUILDER,
	name: "go",
	options: options{
		doc: "Makes a folder and has it provisioned as if it were a machine.",
		options: []option{
			{name: "folder", kind: textType, doc: "The folder to make; its files are the artifact.", required: true},
			{name: "hostname", kind: textType, doc: "What is written to `etc/hostname` in it.", defaultValue: "folder"},
		},
	},
	generated: []string{"ID", "Folder"},
	check: func(given values) []*wire.Diagnostic {
		if name := given.text("hostname"); strings.ContainsAny(name, " /\n") {
			detail := fmt.Sprintf("`%s` has a space, a slash or a line break.", name)
			return []*wire.Diagnostic{problem("hostname", "Invalid host name", detail, "")}
		}
		return nil
	},
	run: build,
}

func build(r *run, start *wire.Start, given values) (*wire.Success, error) {
	folder, err := filepath.Abs(given.text("folder"))
	if err != nil {
		return nil, err
	}
	if _, err := os.Lstat(folder); err == nil {
		if !start.GetBuild().GetForce() {
			detail := fmt.Sprintf("`%s` exists already.", given.text("folder"))
			found := problem("folder", "The folder exists", detail, "remove it, or build with -force")
			return nil, failure{detail, []*wire.Diagnostic{found}}
		}
		if err := os.RemoveAll(folder); err != nil {
			return nil, err
		}
	}
	number, err := r.announce("directory", folder)
	if err != nil {
		return nil, err
	}
	artifact, err := made(r, folder, given.text("hostname"))
	if err != nil {
		if undone := os.RemoveAll(folder); undone != nil {
			r.say("Warning: cannot remove %s: %s", folder, undone)
			return nil, err
		}
	}
	r.release(number)
	if err != nil {
		return nil, err
	}
	return &wire.Success{Artifact: artifact}, nil
}

func made(r *run, folder, hostname string) (*wire.Artifact, error) {
	err := r.step("make folder", func() error {
		if err := os.MkdirAll(filepath.Join(folder, "etc"), 0o755); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(folder, "etc/hostname"), []byte(hostname+"\n"), 0o644)
	})
	if err != nil {
		return nil, err
	}
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return nil, err
	}
	token := hex.EncodeToString(secret)
	register := func(server *grpc.Server) { wire.RegisterCommunicatorServer(server, &machine{root: folder}) }
	server, socket, err := privateServer(r.folder, token, register)
	if err != nil {
		return nil, err
	}
	defer server.Stop()
	facts := map[string]string{"ID": hostname, "Folder": folder, "Host": "localhost", "ConnType": "go"}
	err = r.step("provision", func() error {
		return r.provision(&wire.CommunicatorEndpoint{Socket: socket, Token: token}, mapping(facts))
	})
	if err != nil {
		return nil, err
	}
	var files []string
	err = filepath.WalkDir(folder, func(path string, found fs.DirEntry, err error) error {
		if err == nil && !found.IsDir() {
			files = append(files, path)
		}
		return err
	})
	state := &wire.Value{Kind: &wire.Value_Map{Map: &wire.Map{
		Entries: []*wire.Entry{{Key: "generated_data", Value: mapping(facts)}},
	}}}
	return &wire.Artifact{
		BuilderId: "kiln.go", Id: hostname, Files: files, State: state, Destroy: []string{folder},
		Description: fmt.Sprintf("A folder with %d files: %s", len(files), folder),
	}, err
}

var provisioner = component{
	kind: wire.ComponentKind_COMPONENT_KIND_PROVISIONER,
	name: "go",
	options: options{
		doc: "Writes a file in the machine and runs commands there.",
		options: []option{
			{name: "content", kind: textType, doc: "What is written.", defaultValue: "hello"},
			{name: "path", kind: textType, doc: "The file in the machine.", defaultValue: "greeting.txt"},
			{name: "inline", kind: textsType, doc: "Commands to run after that."},
		},
	},
	run: func(r *run, start *wire.Start, given values) (*wire.Success, error) {
		endpoint := start.GetProvisioner().GetCommunicator()
		if start.GetProvisioner() == nil {
			return nil, errKind
		}
		if endpoint == nil {
			return nil, errors.New("the builder offers no way to talk to its machine")
		}
		// Calls end with the run: what they had under way is then given up by the builder.
		machine, err := connect(r.cancelled, endpoint)
		if err != nil {
			return nil, err
		}
		defer machine.connection.Close()
		err = provision(r, machine, given)
		if err != nil && r.cancelled.Err() != nil {
			return nil, errCancelled
		}
		if said, is := status.FromError(err); err != nil && is {
			return nil, fmt.Errorf("the machine: %s", said.Message())
		}
		return nil, err
	},
}

func provision(r *run, machine *remote, given values) error {
	path, content := given.text("path"), []byte(given.text("content"))
	if err := machine.upload(path, content, 0o640); err != nil {
		return err
	}
	back, err := machine.download(path)
	if err != nil {
		return err
	}
	if !bytes.Equal(back, content) {
		return fmt.Errorf("`%s` in the machine is not what was written", path)
	}
	r.say("Wrote %d bytes to %s", len(content), path)
	for _, command := range given.texts("inline") {
		var output bytes.Buffer
		exit, err := machine.execute(command, func(data []byte) { output.Write(data) })
		if err != nil {
			return err
		}
		if text := strings.TrimRight(output.String(), "\n"); text != "" {
			r.say("%s", text)
		}
		if code, is := exit.GetHow().(*wire.ExecExit_Code); !is || code.Code != 0 {
			return fmt.Errorf("`%s` did not succeed: %s", command, exit)
		}
	}
	return nil
}

var postProcessor = component{
	kind: wire.ComponentKind_COMPONENT_KIND_POST_PROCESSOR,
	name: "go",
	options: options{
		doc:     "Writes the SHA-256 of every file of the artifact to a file.",
		options: []option{{name: "output", kind: textType, doc: "The file to write.", required: true}},
	},
	run: func(r *run, start *wire.Start, given values) (*wire.Success, error) {
		if start.GetPostProcessor() == nil {
			return nil, errKind
		}
		output := given.text("output")
		files := start.GetPostProcessor().GetArtifact().GetFiles()
		var lines strings.Builder
		for index, path := range files {
			if r.cancelled.Err() != nil {
				return nil, errCancelled
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			fmt.Fprintf(&lines, "%x  %s\n", sha256.Sum256(content), filepath.Base(path))
			progress := &wire.Progress{
				Number: 1, Label: "hashing", Done: uint64(index + 1), Total: uint64(len(files)),
				Unit: wire.Progress_UNIT_ITEMS, Ended: index+1 == len(files),
			}
			r.send(&wire.RunEvent{Event: &wire.RunEvent_Progress{Progress: progress}})
		}
		if err := os.WriteFile(output, []byte(lines.String()), 0o644); err != nil {
			return nil, err
		}
		r.say("Wrote %d checksums to %s", len(files), output)
		return &wire.Success{KeepInput: true, Artifact: &wire.Artifact{
			BuilderId: "kiln.post-processor.go", Files: []string{output}, Destroy: []string{output},
			Description: "Checksums: " + output,
		}}, nil
	},
}

var dataSource = component{
	kind: wire.ComponentKind_COMPONENT_KIND_DATA_SOURCE,
	name: "go",
	options: options{
		doc:     "Gives back a text in capitals.",
		options: []option{{name: "text", kind: textType, doc: "The text.", required: true}},
		outputs: []option{{name: "capitals", kind: textType, doc: "The text in capitals."}},
	},
	run: func(_ *run, _ *wire.Start, given values) (*wire.Success, error) {
		return &wire.Success{Output: mapping(map[string]string{"capitals": strings.ToUpper(given.text("text"))})}, nil
	},
}
