Feature: Native gRPC
  The same port speaks gRPC to generated clients.

  Scenario Outline: What is not part of the public API does not exist
    When I call <method>
    Then the error has the code UNIMPLEMENTED

    Examples: An unknown method, an unknown service, and services that are only inside
      | method                                       |
      | /paygate.payments.v1.PaymentService/Steal    |
      | /paygate.payments.v2.PaymentService/Capture  |
      | /paygate.acquirer.v1.AcquirerService/Capture |
      | /grpc.health.v1.Health/Watch                 |

  Scenario: Bytes that are no message are refused, and not explained by an exception's text
    When I call /paygate.payments.v1.PaymentService/Capture with bytes that are no message
    Then it is refused with MALFORMED_REQUEST

  Scenario: U+0000, which is no JSON here, is a control character like any other
    When I authorize with reference set to "nul\u0000nul"
    Then it is refused with VALIDATION_FAILED
    And it names the field reference
