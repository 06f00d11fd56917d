using LServe.Contracts;

namespace LServe.Cli.Chat;

/// <param name="Session">The conversation's name; null draws one and forgets the conversation at the end.</param>
/// <param name="System">System message of a new conversation.</param>
internal sealed record ChatOptions(string? Session, string? System, SamplingOptions Sampling);
