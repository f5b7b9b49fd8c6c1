package config

import "regexp"

// password is that of a URL with a user.
var password = regexp.MustCompile(`(://[^/?#@\s]*?:)[^@\s]*@`)

// Masked returns a command line without the passwords of URLs in it.
func Masked(args []string) []string {
	masked := make([]string, len(args))
	for i, text := range args {
		masked[i] = password.ReplaceAllString(text, "${1}xxxxx@")
	}
	return masked
}
