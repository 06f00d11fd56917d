using System.Text.Json;
using LServe.Contracts;
using LServe.Contracts.OpenAi;
using LServe.Sessions;

namespace LServe.Api.Turns;

/// <summary>A chat completion request, checked, as a turn.</summary>
internal static class ChatRequestReader
{
    public static TurnRequest Read(ChatCompletionRequest request, HostStatus status)
    {
        ModelName.Check(request.Model, status.Model);
        RefuseUnsupported(request);
        if (!status.CanChat)
            throw LServeException.Invalid(
                $"The model '{status.Model}' can't chat: {status.ChatProblem} Raw text works at /v1/completions.", "model");
        return new TurnRequest
        {
            Messages = ReadMessages(request.Messages),
            Sampling = ReadSampling(request),
            Attention = request.Attention,
            KeepAlive = request.KeepAlive,
            Replay = request.Replay ?? false,
        };
    }

    private static SamplingOptions ReadSampling(ChatCompletionRequest request)
    {
        var sampling = SamplingReader.Read(request) with
        {
            MaxTokens = request.MaxCompletionTokens ?? request.MaxTokens,
            Logprobs = request.Logprobs ?? false,
            TopLogprobs = request.TopLogprobs ?? 0,
        };
        return SamplingRules.Check(sampling, request.MaxCompletionTokens is null ? "max_tokens" : "max_completion_tokens");
    }

    private static void RefuseUnsupported(ChatCompletionRequest request)
    {
        if (IsUsed(request.Tools))
            throw LServeException.Invalid("Tools are not supported by this server; leave 'tools' out.", "tools");
        if (IsUsed(request.Functions))
            throw LServeException.Invalid("Functions are not supported by this server; leave 'functions' out.", "functions");
        if (request.ResponseFormat?.Type is { } format and not "text")
            throw LServeException.Invalid($"The response format '{format}' is not supported; leave 'response_format' out.", "response_format");
    }

    private static bool IsUsed(JsonElement? list) => list switch
    {
        null or { ValueKind: JsonValueKind.Null } => false,
        { ValueKind: JsonValueKind.Array } array => array.GetArrayLength() > 0,
        _ => true,
    };

    private static ChatMessage[] ReadMessages(IReadOnlyList<RequestMessage>? sent)
    {
        if (sent is null or { Count: 0 })
            throw LServeException.Invalid("'messages' needs at least one message.", "messages");
        var messages = new ChatMessage[sent.Count];
        for (var i = 0; i < messages.Length; i++)
            messages[i] = new ChatMessage(ReadRole(sent[i]?.Role, i), ReadContent(sent[i]?.Content, i));
        return messages;
    }

    private static string ReadRole(string? role, int index) => role switch
    {
        ChatMessage.System or "developer" => ChatMessage.System,
        ChatMessage.User => ChatMessage.User,
        ChatMessage.Assistant => ChatMessage.Assistant,
        "tool" or "function" => throw LServeException.Invalid(
            $"Tools are not supported by this server: message {index} has the role '{role}'.", $"messages[{index}].role"),
        null => throw LServeException.Invalid($"Message {index} has no role.", $"messages[{index}].role"),
        _ => throw LServeException.Invalid(
            $"Message {index} has the role '{role}'; there are system, developer, user and assistant.", $"messages[{index}].role"),
    };

    private static string ReadContent(string? content, int index) =>
        content ?? throw LServeException.Invalid($"Message {index} has no content.", $"messages[{index}].content");
}
