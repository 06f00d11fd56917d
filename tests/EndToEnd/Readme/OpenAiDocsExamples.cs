using System.ClientModel;
using OpenAI;
using OpenAI.Chat;

namespace LServe.Tests.EndToEnd.Readme;

/// <summary>The README's example of OpenAI's .NET library, where the compiler reads it; a rule of tests/Tidy compares the two.</summary>
internal static class OpenAiDocsExamples
{
    public static async Task ReadmeAsync()
    {
        var client = new ChatClient("default", new ApiKeyCredential("none"), new OpenAIClientOptions { Endpoint = new Uri("http://127.0.0.1:8080/v1") });
        await foreach (var update in client.CompleteChatStreamingAsync("What is a page table?"))
            foreach (var part in update.ContentUpdate)
                Console.Write(part.Text);
    }
}
