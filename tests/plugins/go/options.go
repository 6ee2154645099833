package main

import (
	"fmt"
	"sort"
	"strings"

	"kiln.example/goplugin/wire"
)

func primitive(kind wire.Type_Primitive) *wire.Type {
	return &wire.Type{Kind: &wire.Type_Primitive_{Primitive: kind}}
}

var (
	textType  = primitive(wire.Type_PRIMITIVE_STRING)
	textsType = &wire.Type{Kind: &wire.Type_List{List: textType}}
)

// option is one option of a component.
type option struct {
	name, doc    string
	kind         *wire.Type
	required     bool
	defaultValue string
}

// options is everything a component takes, and what it gives back when it is a data source.
type options struct {
	doc     string
	options []option
	outputs []option
}

// values are the options that a template sets, and the defaults of the others.
type values map[string]*wire.Value

func (v values) text(name string) string { return v[name].GetString_() }

func (v values) texts(name string) []string {
	var found []string
	for _, item := range v[name].GetList().GetItems() {
		found = append(found, item.GetString_())
	}
	return found
}

func attributes(all []option) []*wire.AttributeSchema {
	var found []*wire.AttributeSchema
	for _, one := range all {
		found = append(found, &wire.AttributeSchema{
			Name: one.name, Type: one.kind, Doc: one.doc, Required: one.required, DefaultText: one.defaultValue,
		})
	}
	return found
}

func (o options) schema() *wire.Schema {
	return &wire.Schema{Doc: o.doc, Attributes: attributes(o.options), Outputs: attributes(o.outputs)}
}

func problem(name, summary, detail, hint string) *wire.Diagnostic {
	return &wire.Diagnostic{
		Severity: wire.Diagnostic_SEVERITY_ERROR, Summary: summary, Detail: detail, Hint: hint,
		Path: []*wire.PathStep{{Step: &wire.PathStep_Attribute{Attribute: name}}},
	}
}

// read gives the options by name, and every problem.
func (o options) read(config *wire.Value) (values, []*wire.Diagnostic) {
	found, problems := values{}, []*wire.Diagnostic(nil)
	given := map[string]*wire.Value{}
	for _, entry := range config.GetMap().GetEntries() {
		given[entry.Key] = entry.Value
	}
	var known []string
	for _, one := range o.options {
		known = append(known, "`"+one.name+"`")
		value := given[one.name]
		delete(given, one.name)
		found[one.name] = text(one.defaultValue)
		switch value.GetKind().(type) {
		case nil, *wire.Value_Null:
			if one.required {
				problems = append(problems, problem(one.name, "Missing option", fmt.Sprintf("`%s` is required.", one.name), ""))
			}
		case *wire.Value_Unknown:
			// A value that only a build can know.
		default:
			if expected := mismatch(one.kind, value); expected != "" {
				detail := fmt.Sprintf("`%s` has to be %s.", one.name, expected)
				problems = append(problems, problem(one.name, "Wrong type", detail, ""))
			} else {
				found[one.name] = value
			}
		}
	}
	var unknown []string
	for name := range given {
		unknown = append(unknown, name)
	}
	sort.Strings(unknown)
	for _, name := range unknown {
		detail, hint := fmt.Sprintf("There is no option `%s`.", name), "the options are "+strings.Join(known, ", ")
		problems = append(problems, problem(name, "Unknown configuration key", detail, hint))
	}
	return found, problems
}

// mismatch says what an option expects when a value is something else.
func mismatch(kind *wire.Type, value *wire.Value) string {
	if kind == textsType {
		list, is := value.Kind.(*wire.Value_List)
		if !is {
			return "a list of texts"
		}
		for _, item := range list.List.Items {
			if _, is := item.Kind.(*wire.Value_String_); !is {
				return "a list of texts"
			}
		}
		return ""
	}
	if _, is := value.Kind.(*wire.Value_String_); !is {
		return "a text"
	}
	return ""
}

func text(value string) *wire.Value { return &wire.Value{Kind: &wire.Value_String_{String_: value}} }

// mapping is the message for a map of texts; its keys have to be sorted.
func mapping(pairs map[string]string) *wire.Value {
	var keys []string
	for key := range pairs {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	entries := []*wire.Entry{}
	for _, key := range keys {
		entries = append(entries, &wire.Entry{Key: key, Value: text(pairs[key])})
	}
	return &wire.Value{Kind: &wire.Value_Map{Map: &wire.Map{Entries: entries}}}
}
