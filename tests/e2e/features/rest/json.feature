Feature: JSON over HTTP
  REST is the same API: each method has a path, messages are JSON with the field names of the
  protos.

  Scenario: Authorize
    When I POST to /authorize
      """
      {
        "card_details": {
          "pan": "4242 4242 4242 4242",
          "expiry": {"month": 12, "year": 2040},
          "cvv": "123"
        },
        "amount": {"minor_units": 1000, "currency": "GBP"},
        "reference": "basket 66"
      }
      """
    Then the reply is 200 with this JSON
      """
      {
        "action": {
          "id": "act_…",
          "payment_id": "pay_…",
          "type": "TYPE_AUTHORIZE",
          "status": "STATUS_SUCCEEDED",
          "amount": {"minor_units": "1000", "currency": "GBP"},
          "reference": "basket 66",
          "sequence": "1",
          "create_time": "<time>",
          "update_time": "<time>",
          "approval_code": "…"
        },
        "payment": {
          "id": "pay_…",
          "status": "STATUS_AUTHORIZED",
          "authorized": {"minor_units": "1000", "currency": "GBP"},
          "captured": {"minor_units": "0", "currency": "GBP"},
          "refunded": {"minor_units": "0", "currency": "GBP"},
          "capturable": {"minor_units": "1000", "currency": "GBP"},
          "refundable": {"minor_units": "0", "currency": "GBP"},
          "card": {
            "brand": "BRAND_VISA",
            "last4": "4242",
            "expiry": {"month": 12, "year": 2040},
            "token": "tok_…"
          },
          "reference": "basket 66",
          "create_time": "<time>",
          "update_time": "<time>",
          "expire_time": "<time>",
          "actions": []
        }
      }
      """
    And it is sent as application/json, and says nothing of gRPC

  Scenario: A decline is there only when something was declined
    When I POST to /authorize
      """
      {
        "card_details": {
          "pan": "4000 0000 0000 9995",
          "expiry": {"month": 12, "year": 2040},
          "cvv": "123"
        },
        "amount": {"minor_units": "1000", "currency": "GBP"}
      }
      """
    Then the reply is 200, and holds in it
      """
      {
        "action": {
          "status": "STATUS_DECLINED",
          "decline": {"code": "CODE_INSUFFICIENT_FUNDS", "message": "…"}
        },
        "payment": {
          "status": "STATUS_DECLINED",
          "decline": {"code": "CODE_INSUFFICIENT_FUNDS", "message": "…"},
          "reference": ""
        }
      }
      """

  Scenario Outline: Whole numbers may be sent as numbers or as strings, and come back as strings
    Given a payment of 10.00 GBP
    When I POST to /capture
      """
      {"authorization_id": "<id>", "amount": {"minor_units": <minor units>, "currency": "GBP"}}
      """
    Then the reply is 200, and holds in it
      """
      {"action": {"amount": {"minor_units": "400", "currency": "GBP"}, "sequence": "2"}}
      """

    Examples:
      | minor units |
      | 400         |
      | "400"       |

  Scenario: Numbers too large for a JavaScript number stay exact
    When I POST to /authorize
      """
      {
        "card_details": {
          "pan": "4242 4242 4242 4242",
          "expiry": {"month": 12, "year": 2040},
          "cvv": "123"
        },
        "amount": {"minor_units": "999999999999", "currency": "GBP"}
      }
      """
    Then the reply is 200, and holds in it
      """
      {"payment": {"authorized": {"minor_units": "999999999999", "currency": "GBP"}}}
      """

  Scenario: Names may be sent in camelCase too, and come back in snake_case
    When I POST to /authorize
      """
      {
        "cardDetails": {
          "pan": "4242 4242 4242 4242",
          "expiry": {"month": 12, "year": 2040},
          "cvv": "123"
        },
        "amount": {"minorUnits": 1000, "currency": "GBP"}
      }
      """
    Then the reply is 200, and holds in it
      """
      {"payment": {"authorized": {"minor_units": "1000", "currency": "GBP"}}}
      """

  Scenario Outline: A field that the request does not have is refused, however deep
    Given a payment of 10.00 GBP
    When I POST to /capture
      """
      {"authorization_id": "<id>", "amount": {"minor_units": 400, "currency": "GBP"<inner>}<outer>}
      """
    Then the reply is 400, and holds in it
      """
      {
        "code": 3,
        "details": [
          {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "<reason>"},
          {
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "field_violations": [{"field": "<field>", "description": "…"}]
          }
        ]
      }
      """

    Examples:
      | outer             | inner            | reason            | field              |
      | , "finall": true  |                  | UNKNOWN_FIELD     | finall             |
      |                   | , "exponent": 2  | UNKNOWN_FIELD     | amount.exponent    |
      | , "reference": 7  |                  | MALFORMED_REQUEST | reference          |
      |                   | , "minorUnits":1 | MALFORMED_REQUEST | amount.minor_units |

  Scenario: The spelling of names and numbers makes no other request: a key finds its reply
    Given a payment of 10.00 GBP
    When I POST to /capture with the key "k"
      """
      {"authorization_id": "<id>", "amount": {"minor_units": 400, "currency": "GBP"}}
      """
    And I POST to /capture with the key "k"
      """
      {
        "final": false,
        "amount": {"currency": "GBP", "minorUnits": "400"},
        "authorizationId": "<id>"
      }
      """
    Then the reply is the same as before, byte for byte
    And it is a replay

  Scenario Outline: Every path answers under /v1 the same
    Given a payment of 10.00 GBP
    When I <method> <path> with and without /v1
    Then both replies are 200 and the same, byte for byte

    Examples:
      | method | path                               |
      | GET    | /payment/<id>                      |
      | GET    | /payment/<id>?include_actions=true |
      | GET    | /payment/<id>/actions              |
      | GET    | /payments?status=STATUS_EXPIRED    |

  Scenario: A whole story works under /v1
    When I POST to /v1/authorize
      """
      {
        "card_details": {
          "pan": "4242 4242 4242 4242",
          "expiry": {"month": 12, "year": 2040},
          "cvv": "123"
        },
        "amount": {"minor_units": 1000, "currency": "GBP"}
      }
      """
    And I POST to /v1/capture
      """
      {"authorization_id": "<id>", "amount": {"minor_units": 400, "currency": "GBP"}}
      """
    And I POST to /v1/refund
      """
      {"authorization_id": "<id>", "amount": {"minor_units": 300, "currency": "GBP"}}
      """
    Then the reply is 200, and holds in it
      """
      {
        "action": {"type": "TYPE_REFUND", "status": "STATUS_SUCCEEDED"},
        "payment": {"id": "<id>", "status": "STATUS_PARTIALLY_REFUNDED"}
      }
      """

  Scenario: Void under /v1
    Given a payment of 10.00 GBP
    When I POST to /v1/void
      """
      {"authorization_id": "<id>"}
      """
    Then the reply is 200, and holds in it
      """
      {"action": {"type": "TYPE_VOID"}, "payment": {"status": "STATUS_VOIDED"}}
      """

  Scenario: Empty lists and the end of pages are there, not left out
    When I GET /payments?reference=nobody-has-this-one
    Then the reply is 200 with this JSON
      """
      {"payments": [], "next_page_token": ""}
      """

  Scenario: A payment with its actions
    Given a payment of 10.00 GBP
    When I GET /payment/<id>?include_actions=true
    Then the reply is 200, and holds in it
      """
      {
        "payment": {
          "id": "<id>",
          "actions": [{"payment_id": "<id>", "type": "TYPE_AUTHORIZE", "sequence": "1"}]
        }
      }
      """

  Scenario: Query parameters may be camelCase too
    Given a payment of 10.00 GBP
    When I GET /payment/<id>?includeActions=true
    Then the reply is 200, and holds in it
      """
      {"payment": {"actions": [{"type": "TYPE_AUTHORIZE"}]}}
      """

  Scenario Outline: A space in a query is written as %20, or as + like HTML forms do
    Given a payment of 10.00 GBP with the reference "two words"
    When I GET /payments?page_size=1&reference=<words>
    Then the reply is 200, and holds in it
      """
      {"payments": [{"id": "<id>", "reference": "two words"}]}
      """

    Examples:
      | words       |
      | two%20words |
      | two+words   |

  Scenario: A refusal with what it knows
    Given a payment of 10.00 GBP
    When I POST to /capture
      """
      {"authorization_id": "<id>", "amount": {"minor_units": 1001, "currency": "GBP"}}
      """
    Then the reply is 400 with this JSON
      """
      {
        "code": 9,
        "message": "…",
        "details": [
          {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "AMOUNT_EXCEEDS_CAPTURABLE",
            "domain": "paygate",
            "metadata": {"requested": "1001", "available": "1000", "currency": "GBP"}
          }
        ]
      }
      """
    And it is sent as application/json, and says nothing of gRPC

  Scenario: Bad input with the fields that are wrong
    When I POST to /capture
      """
      {
        "authorization_id": "pay_01h455vb4pex5vsknk084sn02q",
        "amount": {"minor_units": 0, "currency": "GBP"}
      }
      """
    Then the reply is 400, and holds in it
      """
      {
        "code": 3,
        "message": "…",
        "details": [
          {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "VALIDATION_FAILED"},
          {
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "field_violations": [{"field": "amount.minor_units", "description": "…"}]
          }
        ]
      }
      """
