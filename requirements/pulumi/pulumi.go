//go:build pulumi

// Package pulumi pins the version of the Pulumi CLI that this project's tests run.
package pulumi

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
