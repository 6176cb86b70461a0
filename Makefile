PYTHON ?= .venv/bin/python
PROTOS := $(sort $(notdir $(wildcard proto/mpcd/v1/*.proto)))

.PHONY: proto
proto:  ## regenerate the gRPC code; a test compares it with what is committed
	$(PYTHON) -m grpc_tools.protoc -Impcd/_pb/v1=proto/mpcd/v1 --python_out=. --pyi_out=. \
		--grpc_python_out=. $(addprefix mpcd/_pb/v1/,$(PROTOS))
