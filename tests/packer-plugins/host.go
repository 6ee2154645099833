package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/packer-plugin-sdk/packer"
	"github.com/hashicorp/packer-plugin-sdk/plugin"
	"github.com/hashicorp/packer-plugin-sdk/rpc"
	"github.com/zclconf/go-cty/cty"
)

// How long a plugin may take to end by itself.
const endLimit = 20 * time.Second

// host loads a plugin as Packer does, has one of its components work, and says what came of it.
// The words are an encoding, the plugin, a kind, a component and its options in HCL.
func host(words []string) error {
	if len(words) != 5 {
		return errors.New("host ENCODING PLUGIN KIND NAME OPTIONS")
	}
	protobuf, program, kind, name, options := words[0] == "protobuf", words[1], words[2], words[3], words[4]
	arguments := []string{"start", kind, name}
	if protobuf {
		arguments = append(arguments, "--protobuf")
	}
	command := exec.Command(program, arguments...)
	command.Env = append(os.Environ(), plugin.MagicCookieKey+"="+plugin.MagicCookieValue)
	command.Stderr = os.Stderr
	stdout, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	timer := time.AfterFunc(endLimit, func() { command.Process.Kill() })
	defer timer.Stop()
	if err := use(bufio.NewReader(stdout), protobuf, kind, options); err != nil {
		command.Process.Kill()
		return errors.Join(err, command.Wait())
	}
	return command.Wait()
}

func use(stdout *bufio.Reader, protobuf bool, kind, options string) error {
	line, err := stdout.ReadString('\n')
	if err != nil {
		return err
	}
	parts := strings.SplitN(strings.TrimSpace(line), "|", 4)
	if len(parts) != 4 || parts[0] != plugin.APIVersionMajor || parts[1] != plugin.APIVersionMinor {
		return fmt.Errorf("a bad first line: %q", line)
	}
	connection, err := net.Dial(parts[2], parts[3])
	if err != nil {
		return err
	}
	client, err := rpc.NewClient(connection)
	if err != nil {
		return err
	}
	defer client.Close()
	// The older SDKs know gob only.
	if field := reflect.ValueOf(client).Elem().FieldByName("UseProto"); field.IsValid() {
		field.SetBool(protobuf)
	}
	ui := &screen{packer.BasicUi{Reader: os.Stdin, Writer: os.Stdout, ErrorWriter: os.Stdout}}
	switch kind {
	case "provisioner":
		return provision(client.Provisioner(), ui, options)
	case "post-processor":
		return postProcess(client.PostProcessor(), ui, options)
	}
	return fmt.Errorf("no kind %s", kind)
}

// screen is a person's terminal without bars of progress.
type screen struct{ packer.BasicUi }

func (*screen) TrackProgress(_ string, _, _ int64, stream io.ReadCloser) io.ReadCloser {
	return stream
}

func provision(provisioner packer.Provisioner, ui packer.Ui, options string) error {
	value, err := decoded(options, provisioner.ConfigSpec())
	if err != nil {
		return err
	}
	if err := provisioner.Prepare(variables(), value); err != nil {
		return fmt.Errorf("refused: %w", err)
	}
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	data := map[string]interface{}{"ID": "machine-1", "Fruit": "pear"}
	return provisioner.Provision(context.Background(), ui, &Folder{root: root}, data)
}

func postProcess(postProcessor packer.PostProcessor, ui packer.Ui, options string) error {
	value, err := decoded(options, postProcessor.ConfigSpec())
	if err != nil {
		return err
	}
	if err := postProcessor.Configure(variables(), value); err != nil {
		return fmt.Errorf("refused: %w", err)
	}
	input := &Artifact{id: "image-1", files: []string{"image"}}
	made, keep, force, err := postProcessor.PostProcess(context.Background(), ui, input)
	if err != nil {
		return err
	}
	fmt.Println("made", made.BuilderId(), made.Id(), made.Files(), made.State("ImageName"), keep, force)
	return made.Destroy()
}

func variables() map[string]interface{} {
	return map[string]interface{}{
		"packer_build_name": "b", "packer_builder_type": "folder", "packer_core_version": "1.16.0",
		"packer_debug": "false", "packer_force": "false", "packer_on_error": "",
	}
}

func decoded(options string, spec hcldec.ObjectSpec) (cty.Value, error) {
	file, problems := hclparse.NewParser().ParseHCL([]byte(options), "options.hcl")
	if problems.HasErrors() {
		return cty.NilVal, problems
	}
	value, problems := hcldec.Decode(file.Body, spec, nil)
	if problems.HasErrors() {
		return cty.NilVal, problems
	}
	return value, nil
}
