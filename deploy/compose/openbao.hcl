# One server that keeps its data in a volume and unseals itself with a key that is in a file: for one
# machine, and no better kept than that file is.

listener "tcp" {
  address     = "0.0.0.0:8200"
  tls_disable = true
}

api_addr     = "http://openbao:8200"
cluster_addr = "http://127.0.0.1:8201"

storage "raft" {
  path    = "/var/lib/openbao"
  node_id = "openbao"
}

seal "static" {
  current_key_id = "1"
  current_key    = "file:///run/secrets/openbao_seal_key"
}

# The rest is done once, when there is no data; nobody gets a root token.
initialize "transit" {
  request "engine" {
    operation = "update"
    path      = "sys/mounts/transit"
    data      = { type = "transit" }
  }
  request "key" {
    operation = "update"
    path      = "transit/keys/paygate"
    data      = { derived = true }
  }
}

# One token for workers and operator: both policies of docs/operations.md, and its own renewal.
initialize "access" {
  request "policy" {
    operation = "update"
    path      = "sys/policies/acl/paygate"
    data = {
      policy = <<EOT
path "transit/datakey/plaintext/paygate" { capabilities = ["update"] }
path "transit/decrypt/paygate"           { capabilities = ["update"] }
path "transit/keys/paygate"              { capabilities = ["read"] }
path "transit/keys/paygate/rotate"       { capabilities = ["update"] }
path "transit/keys/paygate/config"       { capabilities = ["update"] }
path "transit/rewrap/paygate"            { capabilities = ["update"] }
EOT
    }
  }
  request "token" {
    operation = "update"
    path      = "auth/token/create"
    data = {
      id        = { eval_type = "string", eval_source = "file", path = "/run/secrets/paygate_vault_token" }
      policies  = ["paygate"]
      no_parent = true
      period    = "768h"
    }
  }
}
