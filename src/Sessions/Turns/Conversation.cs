using LServe.Contracts;
using LServe.Model;

namespace LServe.Sessions;

/// <summary>What a request adds to a conversation: the new messages, and the tokens that say them to the model.</summary>
internal sealed record TurnInput(IReadOnlyList<ChatMessage> NewMessages, int[] Prompt, bool IsChat);

/// <summary>Finds what is new in a request, and renders only that.</summary>
internal sealed class Conversation(SessionEnvironment environment)
{
    /// <param name="kept">The session's messages.</param>
    /// <exception cref="LServeException">The request is wrong, or contradicts what is kept.</exception>
    public TurnInput Resolve(IReadOnlyList<KeptMessage> kept, TurnRequest request)
    {
        CheckForm(request);
        return request.Messages is { } messages ? ResolveChat(kept, messages) : ResolveRaw(kept, request);
    }

    private TurnInput ResolveChat(IReadOnlyList<KeptMessage> kept, IReadOnlyList<ChatMessage> messages)
    {
        if (environment.Template is not { } template)
            throw LServeException.Invalid(
                $"The model {environment.ModelName} can't chat: {environment.TemplateProblem} Raw completions work.", "messages");
        if (kept.Count > 0 && kept[0].Role == KeptMessage.RawPrompt)
            throw Conflict("This session was begun with a raw prompt and goes on with raw prompts only. Chat in another session.", "messages");
        CheckRoles(messages);
        var fresh = messages.Any(m => m.Role == ChatMessage.Assistant) ? Suffix(kept, messages) : messages;
        return new(fresh, Render(template, kept, fresh), IsChat: true);
    }

    private TurnInput ResolveRaw(IReadOnlyList<KeptMessage> kept, TurnRequest request)
    {
        if (kept.Count > 0 && kept[0].Role != KeptMessage.RawPrompt)
            throw Conflict("This session was begun as a chat and goes on with messages only. Use another session for raw prompts.", "prompt");
        var ids = new List<int>();
        if (request.PromptTokens is { } given) ids.AddRange(Checked(given));
        else
        {
            if (kept.Count > 0) environment.Tokenizer.EncodeContinuation(request.Prompt, ids);
            else BeginRaw(request.Prompt, ids);
        }
        if (ids.Count == 0) throw LServeException.Invalid("The prompt is empty.", "prompt");
        var text = request.Prompt ?? environment.Tokenizer.Decode(ids.ToArray(), withSpecial: true);
        return new([new ChatMessage(KeptMessage.RawPrompt, text)], [.. ids], IsChat: false);
    }

    private void BeginRaw(string? prompt, List<int> ids)
    {
        if (environment.Tokenizer.BeginToken is { } begin) ids.Add(begin);
        environment.Tokenizer.Encode(prompt, parseSpecial: false, ids);
    }

    private int[] Render(ChatTemplate template, IReadOnlyList<KeptMessage> kept, IReadOnlyList<ChatMessage> fresh)
    {
        var turns = fresh.Select(m => new ChatTurn(m.Role, m.Content)).ToArray();
        try
        {
            var segments = kept.Count == 0
                ? template.Render(turns, generationPrompt: true)
                : template.RenderContinuation([.. kept.Select(m => m.Role)], turns);
            var ids = new List<int>();
            environment.Tokenizer.Encode(segments, ids);
            return [.. ids];
        }
        catch (ChatTemplateException refusal)
        {
            throw new LServeException(new(ErrorCode.InvalidRequest, refusal.Message, "messages"), refusal);
        }
    }

    private static IReadOnlyList<ChatMessage> Suffix(IReadOnlyList<KeptMessage> kept, IReadOnlyList<ChatMessage> messages)
    {
        const string wayOut = "Send only the new messages, or every kept one unchanged followed by new ones, or use another session.";
        for (var i = 0; i < kept.Count; i++)
        {
            if (i >= messages.Count)
                throw Conflict($"The session keeps {kept.Count} messages and the request repeats only {messages.Count} of them. {wayOut}", "messages");
            if (messages[i].Role != kept[i].Role)
                throw Conflict($"messages[{i}] has the role {messages[i].Role}; the session keeps {kept[i].Role} there. {wayOut}", $"messages[{i}].role");
            if (messages[i].Content != kept[i].Content)
                throw Conflict(
                    $"messages[{i}] differs from what the session keeps, from character {CommonLength(messages[i].Content, kept[i].Content)} on. {wayOut}",
                    $"messages[{i}].content");
        }
        if (messages.Count == kept.Count) throw Conflict($"The request has no message that the session doesn't keep already. {wayOut}", "messages");
        return [.. messages.Skip(kept.Count)];
    }

    private static int CommonLength(string a, string b) => a.AsSpan().CommonPrefixLength(b.AsSpan());

    private void CheckForm(TurnRequest request)
    {
        var forms = (request.Messages is null ? 0 : 1) + (request.Prompt is null ? 0 : 1) + (request.PromptTokens is null ? 0 : 1);
        if (forms != 1) throw LServeException.Invalid("A turn has exactly one of messages, prompt and prompt_tokens.", "messages");
        if (request.TurnId is { } id && (id.Length is 0 or > TurnRequest.MaxTurnIdLength || id.Any(char.IsControl)))
            throw LServeException.Invalid($"A turn id has 1 to {TurnRequest.MaxTurnIdLength} characters, none of them control characters.", "turn_id");
        if (request.KeepAlive is < 0 or > TurnRequest.MaxKeepAlive)
            throw LServeException.Invalid($"keep_alive is a number of seconds from 0 to {TurnRequest.MaxKeepAlive}, not {request.KeepAlive}.", "keep_alive");
        if (request.Messages is { Count: 0 }) throw LServeException.Invalid("There are no messages.", "messages");
        if (request.Messages?.Count > environment.Limits.MaxMessages)
            throw LServeException.Invalid($"There are {request.Messages.Count} messages; at most {environment.Limits.MaxMessages} are read.", "messages");
    }

    private static void CheckRoles(IReadOnlyList<ChatMessage> messages)
    {
        for (var i = 0; i < messages.Count; i++)
            if (messages[i].Role is not (ChatMessage.System or ChatMessage.User or ChatMessage.Assistant))
                throw LServeException.Invalid($"messages[{i}] has the role '{messages[i].Role}'; it must be system, user or assistant.", $"messages[{i}].role");
    }

    private IReadOnlyList<int> Checked(IReadOnlyList<int> ids)
    {
        foreach (var id in ids)
            if (id < 0 || id >= environment.Tokenizer.VocabularySize)
                throw LServeException.Invalid($"{id} is no token; ids are 0 to {environment.Tokenizer.VocabularySize - 1}.", "prompt");
        return ids;
    }

    private static LServeException Conflict(string message, string param) => new(new(ErrorCode.SessionConflict, message, param));
}
