package rego

import (
	"errors"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// asEvaluationError gives errors of the evaluator the form of compile errors, with their place.
func asEvaluationError(err error) error {
	if one := (*topdown.Error)(nil); errors.As(err, &one) {
		return &ast.Error{Code: one.Code, Message: one.Message, Location: one.Location}
	}
	return err
}
