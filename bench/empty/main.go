// Command empty does nothing but stay: what it takes to load it is what any Go program in
// a page costs.
package main

func main() { select {} }
