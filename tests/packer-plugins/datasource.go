package main

import (
	"errors"

	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/hashicorp/packer-plugin-sdk/hcl2helper"
	"github.com/zclconf/go-cty/cty"
)

// Datasource gives back what it was given.
type Datasource struct{ config Config }

// Facts is what it finds.
type Facts struct {
	Name   string            `mapstructure:"name"`
	Count  int               `mapstructure:"count_of"`
	Labels map[string]string `mapstructure:"labels"`
}

func (*Facts) spec() map[string]hcldec.Spec {
	return map[string]hcldec.Spec{
		"name":     &hcldec.AttrSpec{Name: "name", Type: cty.String},
		"count_of": &hcldec.AttrSpec{Name: "count_of", Type: cty.Number},
		"labels":   &hcldec.AttrSpec{Name: "labels", Type: cty.Map(cty.String)},
	}
}

func (d *Datasource) ConfigSpec() hcldec.ObjectSpec { return d.config.spec() }
func (d *Datasource) OutputSpec() hcldec.ObjectSpec { return (*Facts)(nil).spec() }

func (d *Datasource) Configure(raws ...interface{}) error {
	return d.config.decode("facts", raws...)
}

func (d *Datasource) Execute() (cty.Value, error) {
	if d.config.Trouble == "fail" {
		return cty.NullVal(cty.EmptyObject), errors.New("the data source failed as told")
	}
	facts := Facts{d.config.Name + "!", d.config.Count + 1, d.config.Labels}
	return hcl2helper.HCL2ValueFromConfig(facts, d.OutputSpec()), nil
}
