Feature: Errors have one shape in both protocols
  An error is a google.rpc.Status: in gRPC in the trailing metadata, in REST as the body. Its
  ErrorInfo, of the domain "paygate", holds a `reason` that stays the same for ever. Declines are
  not errors: they are answers of the bank.

  Scenario Outline: What went wrong is a gRPC code, an HTTP status, and a reason
    Given a payment of 10.00 GBP
    When I <request>
    Then the error has the code <code>, over HTTP the status <status>, and the reason <reason>
    And the error has a sentence for people
    And the payment is as it was

    Examples:
      | request                        | code                | status | reason                    |
      | capture without an amount      | INVALID_ARGUMENT    | 400    | VALIDATION_FAILED         |
      | capture 1.00 EUR               | INVALID_ARGUMENT    | 400    | CURRENCY_MISMATCH         |
      | list payments from page "x"    | INVALID_ARGUMENT    | 400    | INVALID_PAGE_TOKEN        |
      | list payments with a wrong key | UNAUTHENTICATED     | 401    | INVALID_API_KEY           |
      | look at an unknown payment     | NOT_FOUND           | 404    | PAYMENT_NOT_FOUND         |
      | capture 10.01 GBP              | FAILED_PRECONDITION | 400    | AMOUNT_EXCEEDS_CAPTURABLE |
      | refund 1.00 GBP                | FAILED_PRECONDITION | 400    | NOT_CAPTURED              |

  Scenario: A conflict with what is still under way is worth another try
    Given a payment of 10.00 GBP on the card 4000 0000 0000 1091
    And I void it
    When I capture 1.00 GBP
    Then the error has the code ABORTED, over HTTP the status 409, and the reason ACTION_PENDING

  Scenario: Every reply names its request
    When I authorize 10.00 GBP with the key "k"
    And I send the same request again
    And I list payments with a wrong key
    Then the last three replies have three different x-request-ids
