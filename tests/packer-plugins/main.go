// A plugin for Packer with one component of each kind, for the tests of the bridge, and a host for
// the tests of plugins that are built on kiln's SDK. The same source is built with several versions
// of the plugin SDK; see build.
package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/hashicorp/packer-plugin-sdk/plugin"
	"github.com/hashicorp/packer-plugin-sdk/version"
)

// dieEarly listens as a plugin does and dies when the host connects.
func dieEarly() {
	folder, err := os.MkdirTemp("", "go-early-")
	if err != nil {
		panic(err)
	}
	listener, err := net.Listen("unix", filepath.Join(folder, "socket"))
	if err != nil {
		panic(err)
	}
	fmt.Printf("5|0|unix|%s\n", listener.Addr())
	listener.Accept()
	os.RemoveAll(folder)
	fmt.Fprintln(os.Stderr, "the last words of a plugin")
	os.Exit(3)
}

func main() {
	if os.Getenv("DIE_EARLY") != "" && len(os.Args) > 1 && os.Args[1] == "start" {
		dieEarly()
	}
	if len(os.Args) > 1 && os.Args[1] == "host" {
		if err := host(os.Args[2:]); err != nil {
			fmt.Println("failed:", err)
			os.Exit(1)
		}
		return
	}
	set := plugin.NewSet()
	set.RegisterBuilder("folder", new(Builder))
	set.RegisterProvisioner("check", new(Provisioner))
	set.RegisterPostProcessor(plugin.DEFAULT_NAME, new(PostProcessor))
	set.RegisterDatasource("facts", new(Datasource))
	set.SetVersion(version.InitializePluginVersion("1.0.0", ""))
	if err := set.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
