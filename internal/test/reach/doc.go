// Package reach has tests only: what the assembled server lets pages reach.
package reach
