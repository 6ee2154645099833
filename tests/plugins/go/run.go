package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"kiln.example/goplugin/wire"
)

var (
	errCancelled = errors.New("context canceled")
	errHostGone  = errors.New("the host left")
)

// reason is who wants a run to stop.
type reason int

const (
	hostAsked reason = iota
	hostGone
)

// failure is an error that an option is to blame for.
type failure struct {
	message     string
	diagnostics []*wire.Diagnostic
}

func (f failure) Error() string { return f.message }

// run is one component that runs, and its way to the host.
type run struct {
	stream    wire.Plugin_RunServer
	folder    string
	cancelled context.Context
	stop      context.CancelFunc
	gone      context.Context
	leave     context.CancelFunc
	verdicts  chan *wire.Provisioned

	sending  sync.Mutex
	lock     sync.Mutex
	numbers  uint64
	recorded map[uint64]chan struct{}
}

func newRun(stream wire.Plugin_RunServer, folder string) *run {
	one := &run{stream: stream, folder: folder, verdicts: make(chan *wire.Provisioned, 1), recorded: map[uint64]chan struct{}{}}
	one.cancelled, one.stop = context.WithCancel(context.Background())
	one.gone, one.leave = context.WithCancel(context.Background())
	return one
}

func (r *run) cancel(why reason) {
	if why == hostGone {
		r.leave()
	}
	r.stop()
}

// listen hears what the host says until it leaves.
func (r *run) listen() {
	for {
		request, err := r.stream.Recv()
		if err != nil {
			// The host keeps its direction open until the end.
			r.cancel(hostGone)
			return
		}
		switch message := request.Request.(type) {
		case *wire.RunRequest_Recorded:
			r.lock.Lock()
			if waiting, found := r.recorded[message.Recorded.Number]; found {
				close(waiting)
				delete(r.recorded, message.Recorded.Number)
			}
			r.lock.Unlock()
		case *wire.RunRequest_Provisioned:
			r.verdicts <- message.Provisioned
		case *wire.RunRequest_Cancel:
			r.cancel(hostAsked)
		}
	}
}

// send tells the host something; one that went away is not told.
func (r *run) send(event *wire.RunEvent) {
	r.sending.Lock()
	defer r.sending.Unlock()
	if err := r.stream.Send(event); err != nil {
		r.cancel(hostGone)
	}
}

func (r *run) say(format string, values ...any) {
	text := fmt.Sprintf(format, values...)
	r.send(&wire.RunEvent{Event: &wire.RunEvent_Ui{Ui: &wire.Ui{Level: wire.Ui_LEVEL_SAY, Text: text}}})
}

// step carries out a step of a builder and tells how it ended.
func (r *run) step(name string, work func() error) error {
	if r.cancelled.Err() != nil {
		return errCancelled
	}
	r.send(&wire.RunEvent{Event: &wire.RunEvent_StepBegun{StepBegun: &wire.StepBegun{Name: name}}})
	err := work()
	ended := &wire.StepEnded{Name: name}
	if err != nil {
		ended.Error = err.Error()
	}
	r.send(&wire.RunEvent{Event: &wire.RunEvent_StepEnded{StepEnded: ended}})
	return err
}

// announce puts something on record; create it only after this returns without an error.
func (r *run) announce(kind, id string) (uint64, error) {
	r.lock.Lock()
	r.numbers++
	number, recorded := r.numbers, make(chan struct{})
	r.recorded[number] = recorded
	r.lock.Unlock()
	r.send(&wire.RunEvent{Event: &wire.RunEvent_ResourceCreated{
		ResourceCreated: &wire.Resource{Number: number, Kind: kind, Id: id},
	}})
	select {
	case <-recorded:
		return number, nil
	case <-r.cancelled.Done():
		r.release(number)
		return 0, errCancelled
	}
}

func (r *run) release(number uint64) {
	r.send(&wire.RunEvent{Event: &wire.RunEvent_ResourceReleased{ResourceReleased: &wire.ResourceReleased{Number: number}}})
}

// provision has the machine provisioned. A host that cancels answers, too: its provisioners have to
// end first.
func (r *run) provision(communicator *wire.CommunicatorEndpoint, generated *wire.Value) error {
	r.send(&wire.RunEvent{Event: &wire.RunEvent_Ready{Ready: &wire.Ready{Communicator: communicator, Generated: generated}}})
	select {
	case verdict := <-r.verdicts:
		if verdict.Cancelled {
			return errCancelled
		}
		if verdict.Error != "" {
			return errors.New(verdict.Error)
		}
		return nil
	case <-r.gone.Done():
		return errHostGone
	}
}

func (r *run) carryOut(found *component, start *wire.Start) error {
	success, err := r.outcome(found, start)
	finished := &wire.Finished{}
	if err == nil {
		if success == nil {
			success = &wire.Success{}
		}
		finished.Outcome = &wire.Finished_Success{Success: success}
	} else {
		ended := &wire.Failure{Message: err.Error(), Cancelled: errors.Is(err, errCancelled)}
		var blamed failure
		if errors.As(err, &blamed) {
			ended.Diagnostics = blamed.diagnostics
		}
		finished.Outcome = &wire.Finished_Failure{Failure: ended}
	}
	r.send(&wire.RunEvent{Event: &wire.RunEvent_Finished{Finished: finished}})
	return nil
}

// outcome runs the component; a panic of it is a failure of its run only.
func (r *run) outcome(found *component, start *wire.Start) (success *wire.Success, err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("the plugin has a bug: %v", panicked)
		}
	}()
	given, problems := found.read(start.Config)
	if len(problems) == 0 && found.check != nil {
		problems = found.check(given)
	}
	if len(problems) > 0 {
		return nil, failure{problems[0].Summary + ": " + problems[0].Detail, problems}
	}
	return found.run(r, start, given)
}
