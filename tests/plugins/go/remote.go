package main

import (
	"context"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"kiln.example/goplugin/wire"
)

// remote is the machine of a builder in another process.
type remote struct {
	connection *grpc.ClientConn
	client     wire.CommunicatorClient
	context    context.Context
}

func connect(ctx context.Context, endpoint *wire.CommunicatorEndpoint) (*remote, error) {
	connection, err := grpc.Dial("unix:"+endpoint.Socket,
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithAuthority("machine.invalid"),
		grpc.WithInitialWindowSize(windowBytes), grpc.WithInitialConnWindowSize(windowBytes),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(messageBytes), grpc.MaxCallSendMsgSize(messageBytes)))
	if err != nil {
		return nil, err
	}
	ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+endpoint.Token)
	return &remote{connection, wire.NewCommunicatorClient(connection), ctx}, nil
}

// execute runs a command; each piece of output goes to `heard`.
func (r *remote) execute(command string, heard func([]byte)) (*wire.ExecExit, error) {
	stream, err := r.client.Exec(r.context)
	if err != nil {
		return nil, err
	}
	start := &wire.ExecRequest{Request: &wire.ExecRequest_Start{Start: &wire.ExecStart{Command: command}}}
	end := &wire.ExecRequest{Request: &wire.ExecRequest_StdinEnd{StdinEnd: &wire.StdinEnd{}}}
	for _, request := range []*wire.ExecRequest{start, end} {
		if err := stream.Send(request); err != nil && err != io.EOF {
			return nil, err
		}
	}
	for {
		event, err := stream.Recv()
		if err != nil {
			return nil, err
		}
		switch event := event.Event.(type) {
		case *wire.ExecEvent_Stdout:
			heard(event.Stdout)
		case *wire.ExecEvent_Stderr:
			heard(event.Stderr)
		case *wire.ExecEvent_Exit:
			return event.Exit, nil
		}
	}
}

func (r *remote) upload(path string, data []byte, bits uint32) error {
	stream, err := r.client.Upload(r.context)
	if err != nil {
		return err
	}
	size := uint64(len(data))
	chunk := &wire.UploadChunk{Header: &wire.UploadHeader{Path: path, Mode: bits, Size: &size}}
	for {
		if len(data) > chunkBytes {
			chunk.Data, data = data[:chunkBytes], data[chunkBytes:]
		} else {
			chunk.Data, data = data, nil
		}
		if err := stream.Send(chunk); err != nil && err != io.EOF {
			return err
		}
		if len(data) == 0 {
			break
		}
		chunk = &wire.UploadChunk{}
	}
	_, err = stream.CloseAndRecv()
	return err
}

func (r *remote) download(path string) ([]byte, error) {
	stream, err := r.client.Download(r.context, &wire.DownloadRequest{Path: path})
	if err != nil {
		return nil, err
	}
	var data []byte
	for {
		chunk, err := stream.Recv()
		if err == io.EOF {
			return data, nil
		}
		if err != nil {
			return nil, err
		}
		data = append(data, chunk.Data...)
	}
}
