package rego

import (
	"runtime"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/version"
)

// compiledAway names builtins that are gone before WebAssembly is made: rewritten to literals,
// erased, or put in by OPA's own compiler and tester.
var compiledAway = []string{
	ast.Equality.Name,
	ast.Assign.Name,
	ast.RegoMetadataChain.Name,
	ast.RegoMetadataRule.Name,
	ast.Print.Name,
	ast.InternalPrint.Name,
	ast.InternalTestCase.Name,
}

// capabilitiesOf is what a policy may use: what OPA compiles to WebAssembly itself, plus the
// builtins that the host provides. Nothing may be fetched from the network.
func capabilitiesOf(request *Request) *ast.Capabilities {
	capabilities := ast.CapabilitiesForThisVersion()
	capabilities.Builtins = slices.DeleteFunc(capabilities.Builtins, func(builtin *ast.Builtin) bool {
		return !slices.Contains(nativeBuiltins, builtin.Name) &&
			!slices.Contains(compiledAway, builtin.Name) &&
			!slices.Contains(request.HostBuiltins, builtin.Name)
	})
	capabilities.AllowNet = []string{}
	return capabilities
}

// publishCapabilities is the file that authors give to `opa build --capabilities`.
func publishCapabilities(request *Request) (any, []Problem) {
	for _, name := range request.HostBuiltins {
		if !isBuiltin(name) {
			return nil, []Problem{{Code: "contract_builtin", Message: "OPA has no builtin " + name}}
		}
	}
	return capabilitiesOf(request), nil
}

// hostBuiltinsOf lists the host's builtins that a compiled policy calls.
func hostBuiltinsOf(request *Request, compiler *ast.Compiler) []string {
	names := []string{}
	for _, builtin := range compiler.Required.Builtins {
		if slices.Contains(request.HostBuiltins, builtin.Name) {
			names = append(names, builtin.Name)
		}
	}
	slices.Sort(names)
	return names
}

func reportVersion(*Request) (any, []Problem) {
	return map[string]string{"opa_version": version.Version, "go_version": runtime.Version()}, nil
}
