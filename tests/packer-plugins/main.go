// A plugin for Packer with one component of each kind, for the tests of the bridge. The same
// source is built with several versions of the plugin SDK; see build.
package main

import (
	"fmt"
	"os"

	"github.com/hashicorp/packer-plugin-sdk/plugin"
	"github.com/hashicorp/packer-plugin-sdk/version"
)

func main() {
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
