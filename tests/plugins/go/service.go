package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"kiln.example/goplugin/wire"
)

const (
	cookie       = "3c1f7a52-6d0e-4b7b-9a43-5be2c04f8d19"
	messageBytes = 16 << 20
	windowBytes  = 4 << 20
	cleanupLimit = 120 * time.Second
)

var features = []string{"reclaim"}

// Only for this process: programs that it starts must not see them.
var hostVariables = []string{"KILN_PLUGIN_COOKIE", "KILN_PLUGIN_TOKEN", "KILN_PLUGIN_DIR", "KILN_PLUGIN_LOG"}

// component is what a template can use.
type component struct {
	kind wire.ComponentKind
	name string
	options
	generated []string
	check     func(values) []*wire.Diagnostic
	run       func(*run, *wire.Start, values) (*wire.Success, error)
}

// logLine writes one line of JSON to standard error, as hosts read it.
func logLine(level, message string) {
	line, _ := json.Marshal(map[string]any{
		"timestamp": time.Now().UTC().Format(time.RFC3339Nano),
		"level":     level,
		"target":    "go",
		"fields":    map[string]any{"message": message},
	})
	fmt.Fprintln(os.Stderr, string(line))
}

// privateServer is a gRPC server on a socket of its own, for callers that have its token.
func privateServer(folder, token string, register func(*grpc.Server)) (*grpc.Server, string, error) {
	number := make([]byte, 4)
	if _, err := rand.Read(number); err != nil {
		return nil, "", err
	}
	path := filepath.Join(folder, "g"+hex.EncodeToString(number)+".sock")
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, "", err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, "", err
	}
	allowed := func(ctx context.Context) error {
		given, _ := metadata.FromIncomingContext(ctx)
		for _, value := range given.Get("authorization") {
			if subtle.ConstantTimeCompare([]byte(value), []byte("Bearer "+token)) == 1 {
				return nil
			}
		}
		return status.Error(codes.Unauthenticated, "the token is missing or wrong")
	}
	server := grpc.NewServer(
		grpc.MaxRecvMsgSize(messageBytes), grpc.MaxSendMsgSize(messageBytes),
		grpc.InitialWindowSize(windowBytes), grpc.InitialConnWindowSize(windowBytes),
		grpc.UnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			if err := allowed(ctx); err != nil {
				return nil, err
			}
			return next(ctx, req)
		}),
		grpc.StreamInterceptor(func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			if err := allowed(stream.Context()); err != nil {
				return err
			}
			return next(srv, stream)
		}),
	)
	register(server)
	// Serving ends with Stop, which also removes the socket.
	go func() { _ = server.Serve(listener) }()
	return server, path, nil
}

type service struct {
	wire.UnimplementedPluginServer
	name, version, folder string
	components            []component

	lock    sync.Mutex
	ending  bool
	running map[*run]struct{}
	over    sync.WaitGroup
}

func (s *service) find(id *wire.ComponentId) (*component, error) {
	for i := range s.components {
		if s.components[i].kind == id.GetKind() && s.components[i].name == id.GetName() {
			return &s.components[i], nil
		}
	}
	return nil, status.Errorf(codes.NotFound, "there is no component `%s` of that kind", id.GetName())
}

func (s *service) Describe(context.Context, *wire.DescribeRequest) (*wire.DescribeResponse, error) {
	described := &wire.DescribeResponse{
		Name: s.name, Version: s.version, ProtocolMajors: []uint32{1}, Features: features,
	}
	for _, one := range s.components {
		described.Components = append(described.Components, &wire.ComponentDescription{
			Id:     &wire.ComponentId{Kind: one.kind, Name: one.name},
			Schema: one.schema(),
		})
	}
	return described, nil
}

func (s *service) Schema(_ context.Context, request *wire.SchemaRequest) (*wire.SchemaResponse, error) {
	found, err := s.find(request.Component)
	if err != nil {
		return nil, err
	}
	return &wire.SchemaResponse{Schema: found.schema()}, nil
}

func (s *service) Prepare(_ context.Context, request *wire.PrepareRequest) (*wire.PrepareResponse, error) {
	found, err := s.find(request.Component)
	if err != nil {
		return nil, err
	}
	given, problems := found.read(request.Config)
	if len(problems) == 0 && found.check != nil {
		problems = found.check(given)
	}
	return &wire.PrepareResponse{Diagnostics: problems, Generated: found.generated}, nil
}

func (s *service) Run(stream wire.Plugin_RunServer) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	start := first.GetStart()
	if start == nil {
		return status.Error(codes.InvalidArgument, "the first message of a run has to be `start`")
	}
	found, err := s.find(start.Component)
	if err != nil {
		return err
	}
	s.lock.Lock()
	if s.ending {
		s.lock.Unlock()
		return status.Error(codes.Unavailable, "the plugin is about to end")
	}
	one := newRun(stream, s.folder)
	s.running[one] = struct{}{}
	s.over.Add(1)
	s.lock.Unlock()
	defer func() {
		s.lock.Lock()
		delete(s.running, one)
		s.lock.Unlock()
		s.over.Done()
	}()
	go one.listen()
	// Messages to a host that went away are dropped, so this also ends its cleanup then.
	return one.carryOut(found, start)
}

func (s *service) Reclaim(_ context.Context, request *wire.ReclaimRequest) (*wire.ReclaimResponse, error) {
	response := &wire.ReclaimResponse{}
	for _, one := range request.Resources {
		result := &wire.ReclaimResult{Number: one.Number}
		if err := reclaim(one); err != nil {
			result.Error = err.Error()
		}
		response.Results = append(response.Results, result)
	}
	return response, nil
}

// reclaim removes what a dead run left. What is gone counts as removed.
func reclaim(resource *wire.Resource) error {
	if resource.Kind != "directory" {
		return fmt.Errorf("nothing here can remove a resource of kind `%s`", resource.Kind)
	}
	// A damaged record must not remove something else.
	if path := resource.Id; !filepath.IsAbs(path) || filepath.Clean(path) != path || path == "/" {
		return fmt.Errorf("`%s` does not name a directory", path)
	}
	return os.RemoveAll(resource.Id)
}

// finish cancels what runs and waits for its cleanup.
func (s *service) finish() {
	s.lock.Lock()
	s.ending = true
	for one := range s.running {
		one.cancel(hostGone)
	}
	s.lock.Unlock()
	done := make(chan struct{})
	go func() { s.over.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(cleanupLimit):
		logLine("ERROR", "a run did not end in time")
	}
}

func serve(name, version string, components []component) int {
	given := map[string]string{}
	for _, variable := range hostVariables {
		given[variable] = os.Getenv(variable)
		os.Unsetenv(variable)
	}
	if given["KILN_PLUGIN_COOKIE"] != cookie {
		fmt.Fprintf(os.Stderr, "This is the kiln plugin `%s` %s; kiln starts it when a template needs it.\n", name, version)
		return 1
	}
	folder, token := given["KILN_PLUGIN_DIR"], given["KILN_PLUGIN_TOKEN"]
	if folder == "" || token == "" {
		logLine("ERROR", "the host gave no folder or no token")
		return 1
	}
	own := &service{name: name, version: version, folder: folder, components: components, running: map[*run]struct{}{}}
	server, socket, err := privateServer(folder, token, func(it *grpc.Server) { wire.RegisterPluginServer(it, own) })
	if err != nil {
		logLine("ERROR", err.Error())
		return 1
	}
	hello, _ := json.Marshal(map[string]any{
		"kiln_plugin": 1, "protocol_majors": []int{1}, "features": features, "socket": socket,
	})
	fmt.Println(string(hello))

	// Ctrl-C is the host's to handle.
	signal.Ignore(os.Interrupt)
	over := make(chan os.Signal, 1)
	signal.Notify(over, syscall.SIGTERM)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		over <- syscall.SIGTERM
	}()
	<-over
	own.finish()
	stopped := make(chan struct{})
	go func() { server.GracefulStop(); close(stopped) }()
	select {
	case <-stopped:
	case <-time.After(500 * time.Millisecond):
		server.Stop()
	}
	return 0
}
