package main

import (
	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/hashicorp/packer-plugin-sdk/common"
	"github.com/hashicorp/packer-plugin-sdk/template/config"
	"github.com/hashicorp/packer-plugin-sdk/template/interpolate"
	"github.com/zclconf/go-cty/cty"
)

// Config is what all four components take.
type Config struct {
	common.PackerConfig `mapstructure:",squash"`
	Name                string            `mapstructure:"name"`
	Count               int               `mapstructure:"count_of"`
	Labels              map[string]string `mapstructure:"labels"`
	Output              string            `mapstructure:"output"`
	Folder              string            `mapstructure:"folder"`
	Trouble             string            `mapstructure:"trouble"`
	Tags                []Tag             `mapstructure:"tag"`
	Address             string            `mapstructure:"address"`
	User                string            `mapstructure:"user"`
	Key                 string            `mapstructure:"key"`
	Sftp                bool              `mapstructure:"sftp"`

	ctx interpolate.Context
}

// Tag is a nested block.
type Tag struct {
	Key string `mapstructure:"key"`
}

// FlatTag is Tag as templates see it.
type FlatTag struct {
	Key *string `mapstructure:"key" cty:"key" hcl:"key"`
}

func (*Tag) FlatMapstructure() interface{ HCL2Spec() map[string]hcldec.Spec } { return new(FlatTag) }

func (*FlatTag) HCL2Spec() map[string]hcldec.Spec {
	return map[string]hcldec.Spec{
		"key": &hcldec.AttrSpec{Name: "key", Type: cty.String, Required: false},
	}
}

// FlatConfig is Config as templates see it.
type FlatConfig struct {
	PackerBuildName     *string           `mapstructure:"packer_build_name" cty:"packer_build_name" hcl:"packer_build_name"`
	PackerBuilderType   *string           `mapstructure:"packer_builder_type" cty:"packer_builder_type" hcl:"packer_builder_type"`
	PackerCoreVersion   *string           `mapstructure:"packer_core_version" cty:"packer_core_version" hcl:"packer_core_version"`
	PackerDebug         *bool             `mapstructure:"packer_debug" cty:"packer_debug" hcl:"packer_debug"`
	PackerForce         *bool             `mapstructure:"packer_force" cty:"packer_force" hcl:"packer_force"`
	PackerOnError       *string           `mapstructure:"packer_on_error" cty:"packer_on_error" hcl:"packer_on_error"`
	PackerUserVars      map[string]string `mapstructure:"packer_user_variables" cty:"packer_user_variables" hcl:"packer_user_variables"`
	PackerSensitiveVars []string          `mapstructure:"packer_sensitive_variables" cty:"packer_sensitive_variables" hcl:"packer_sensitive_variables"`
	Name                *string           `mapstructure:"name" cty:"name" hcl:"name"`
	Count               *int              `mapstructure:"count_of" cty:"count_of" hcl:"count_of"`
	Labels              map[string]string `mapstructure:"labels" cty:"labels" hcl:"labels"`
	Output              *string           `mapstructure:"output" cty:"output" hcl:"output"`
	Folder              *string           `mapstructure:"folder" cty:"folder" hcl:"folder"`
	Trouble             *string           `mapstructure:"trouble" cty:"trouble" hcl:"trouble"`
	Tags                []FlatTag         `mapstructure:"tag" cty:"tag" hcl:"tag"`
	Address             *string           `mapstructure:"address" cty:"address" hcl:"address"`
	User                *string           `mapstructure:"user" cty:"user" hcl:"user"`
	Key                 *string           `mapstructure:"key" cty:"key" hcl:"key"`
	Sftp                *bool             `mapstructure:"sftp" cty:"sftp" hcl:"sftp"`
}

func (*Config) FlatMapstructure() interface{ HCL2Spec() map[string]hcldec.Spec } {
	return new(FlatConfig)
}

func (*FlatConfig) HCL2Spec() map[string]hcldec.Spec {
	attribute := func(name string, ty cty.Type) hcldec.Spec {
		return &hcldec.AttrSpec{Name: name, Type: ty, Required: false}
	}
	return map[string]hcldec.Spec{
		"packer_build_name":          attribute("packer_build_name", cty.String),
		"packer_builder_type":        attribute("packer_builder_type", cty.String),
		"packer_core_version":        attribute("packer_core_version", cty.String),
		"packer_debug":               attribute("packer_debug", cty.Bool),
		"packer_force":               attribute("packer_force", cty.Bool),
		"packer_on_error":            attribute("packer_on_error", cty.String),
		"packer_user_variables":      attribute("packer_user_variables", cty.Map(cty.String)),
		"packer_sensitive_variables": attribute("packer_sensitive_variables", cty.List(cty.String)),
		"name":                       attribute("name", cty.String),
		"count_of":                   attribute("count_of", cty.Number),
		"labels":                     attribute("labels", cty.Map(cty.String)),
		"output":                     attribute("output", cty.String),
		"folder":                     attribute("folder", cty.String),
		"trouble":                    attribute("trouble", cty.String),
		"address":                    attribute("address", cty.String),
		"user":                       attribute("user", cty.String),
		"key":                        attribute("key", cty.String),
		"sftp":                       attribute("sftp", cty.Bool),
		"tag":                        &hcldec.BlockListSpec{TypeName: "tag", Nested: hcldec.ObjectSpec((*FlatTag)(nil).HCL2Spec())},
	}
}

func (c *Config) decode(kind string, raws ...interface{}) error {
	return config.Decode(c, &config.DecodeOpts{
		PluginType:         "kiln." + kind,
		Interpolate:        true,
		InterpolateContext: &c.ctx,
	}, raws...)
}

func (c *Config) spec() hcldec.ObjectSpec { return c.FlatMapstructure().HCL2Spec() }
