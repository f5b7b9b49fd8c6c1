# The R packages: checks by R itself, where it is installed.

.PHONY: test-r
test-r: ## R CMD check of the R packages (needs R)
	r/tools/check
