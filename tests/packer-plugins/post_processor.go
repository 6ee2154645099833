package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/hashicorp/packer-plugin-sdk/packer"
	"github.com/hashicorp/packer-plugin-sdk/template/interpolate"
)

// PostProcessor tells what it was given, and writes a file.
type PostProcessor struct{ config Config }

func (p *PostProcessor) ConfigSpec() hcldec.ObjectSpec { return p.config.spec() }

func (p *PostProcessor) Configure(raws ...interface{}) error {
	return p.config.decode("post", raws...)
}

func (p *PostProcessor) PostProcess(ctx context.Context, ui packer.Ui, input packer.Artifact) (packer.Artifact, bool, bool, error) {
	ui.Say(fmt.Sprintf("input %s %s %v %v", input.BuilderId(), input.Id(), input.Files(), input.State("ImageName")))
	facts, _ := input.State("generated_data").(map[interface{}]interface{})
	ui.Say(fmt.Sprintf("fact %v", facts["Fruit"]))
	switch p.config.Trouble {
	case "fail":
		return nil, false, false, errors.New("the post-processor failed as told")
	case "same":
		return input, true, false, nil
	case "nothing":
		return nil, true, false, nil
	}
	p.config.ctx.Data = facts
	content, err := interpolate.Render(p.config.Name+p.config.Folder, &p.config.ctx)
	if err != nil {
		return nil, false, false, err
	}
	if err := os.WriteFile(p.config.Output, []byte(content), 0o644); err != nil {
		return nil, false, false, err
	}
	return &Artifact{id: "processed", files: []string{p.config.Output}}, true, false, nil
}
