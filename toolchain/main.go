//go:build js

// Command toolchain is OPA's compiler, tester and evaluator behind one JavaScript function. It is
// built for GOOS=js GOARCH=wasm and lives in a worker thread of the gateway: a request is a JSON
// text, its answer is handed to a callback as a JSON text. It reads no file, opens no socket and
// keeps nothing between requests.
package main

import (
	"syscall/js"

	"mcp-policy-gateway/toolchain/rego"
)

// main publishes the function that the host gave a place for and then waits for ever.
func main() {
	js.Global().Get("regoToolchainReady").Invoke(js.FuncOf(answer))
	select {}
}

// answer takes (request text, callback). The work runs in its own goroutine, because goroutines
// that wait for each other inside a JavaScript callback would stop the program.
func answer(_ js.Value, arguments []js.Value) any {
	request, callback := arguments[0].String(), arguments[1]
	go func() { callback.Invoke(rego.Handle(request)) }()
	return nil
}
