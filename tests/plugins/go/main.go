// A whole plugin for kiln in Go, on nothing but grpc-go and the .proto files.
//
// It offers one component of each kind, all called `go`. service.go has the handshake and the calls,
// run.go the conversation of one run, options.go the schema and the checking of options, machine.go the
// machine that the builder serves, remote.go the one a provisioner is given, components.go what the
// components do. The package wire is generated.
package main

import "os"

func main() {
	os.Exit(serve("go", "2.0.1", []component{builder, provisioner, postProcessor, dataSource}))
}
